-- What each kind of record has on the lines of each document, for some of the records: the lines'
-- numbers and how it is rounded there; in 128 bits only where one of these records needs that.
CREATE OR REPLACE TEMP TABLE kind_lines AS
SELECT
    used.account, used.kind, kinds.meter, kinds.variant,
    list_transform(kinds.rates, lambda rate: list_position(on_lines.rates, rate)) AS lines,
    kinds.slots, kinds.narrow, CASE WHEN used.is_wide THEN kinds.wide END AS wide
FROM (
    SELECT account, kind, bool_or(is_wide) AS is_wide FROM told_records
    WHERE rowid BETWEEN $first AND $last AND kind IS NOT NULL
    GROUP BY account, kind
) AS used
INNER JOIN kinds USING (kind)
INNER JOIN (
    FROM on_lines WHERE account BETWEEN $first_account AND $last_account
) AS on_lines USING (account)
