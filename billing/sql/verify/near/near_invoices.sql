-- With the documents that lines name as their origin, wherever these are.
CREATE TEMP TABLE invoices AS
FROM invoices
WHERE id IN (
    SELECT id FROM near_documents UNION SELECT origin FROM invoice_lines WHERE origin IS NOT NULL
)
