-- A line of a credit note stands under the terms of the line it takes back.
INSERT INTO invoice_lines BY NAME
SELECT
    notes.id AS invoice,
    row_number() OVER (PARTITION BY notes.id ORDER BY lines.line) AS line,
    'adjustment' AS kind, lines.term, lines.month, lines.advance, lines.invoice AS origin,
    lines.line AS credits, lines.variant, -crediting.amount AS amount, lines.tax
FROM crediting
INNER JOIN credit_notes AS notes ON crediting.document = notes.document
INNER JOIN invoice_lines AS lines
    ON crediting.document = lines.invoice AND crediting.line = lines.line
