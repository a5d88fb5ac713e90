-- What `crediting` takes back, with what was decided on the lines.
CREATE OR REPLACE TEMP TABLE taxed_sums AS
SELECT crediting.document AS invoice, -crediting.amount AS amount, lines.tax
FROM crediting
INNER JOIN invoice_lines AS lines
    ON crediting.document = lines.invoice AND crediting.line = lines.line
WHERE lines.tax IS NOT NULL
