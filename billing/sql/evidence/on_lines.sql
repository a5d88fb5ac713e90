-- The documents that a run closes, of some accounts, each with the rates of its own lines in their order, so that the
-- place of a rate is the number of its line.
CREATE OR REPLACE TEMP TABLE on_lines AS
SELECT
    closing.account, closing.number, closing.id AS invoice,
    list(draft_lines.rate ORDER BY draft_lines.line) AS rates
FROM closing INNER JOIN draft_lines USING (account)
WHERE closing.account BETWEEN $first AND $last
GROUP BY ALL
