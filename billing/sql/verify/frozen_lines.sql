-- Their lines, with what each is a line of.
CREATE OR REPLACE TEMP TABLE frozen_lines AS
SELECT lines.*, terms.key
FROM invoice_lines AS lines
SEMI JOIN verified ON lines.invoice = verified.invoice
LEFT JOIN terms ON lines.term = terms.term
