INSERT INTO invoice_taxes BY NAME
SELECT taxes.* REPLACE (notes.id AS invoice)
FROM credited_taxes AS taxes INNER JOIN credit_notes AS notes ON taxes.invoice = notes.document
