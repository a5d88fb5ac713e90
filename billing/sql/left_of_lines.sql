-- What is left of each line of the documents in `credited`, after the credit notes that were given
-- on them.
CREATE OR REPLACE TEMP TABLE left_of_lines AS
WITH given AS (
    SELECT notes.corrects AS document, lines.credits AS line, sum(lines.amount)::HUGEINT AS amount
    FROM invoices AS notes
    INNER JOIN invoice_lines AS lines ON notes.id = lines.invoice
    WHERE notes.credit IS NOT NULL AND notes.corrects IN (SELECT id FROM credited)
    GROUP BY notes.corrects, lines.credits
)

SELECT
    lines.invoice AS document, lines.line, lines.amount AS whole,
    (lines.amount + coalesce(given.amount, 0::HUGEINT))::HUGEINT AS amount
FROM invoice_lines AS lines
INNER JOIN credited ON lines.invoice = credited.id
LEFT JOIN given ON lines.invoice = given.document AND lines.line = given.line
