-- What the documents that a run has closed ask for.
CREATE OR REPLACE TEMP TABLE closing_totals AS
SELECT invoices.id AS invoice, invoices.account_id, invoices.issued_on, 
    invoices.subtotal + coalesce(invoices.tax, 0::HUGEINT) AS total
FROM invoices SEMI JOIN closing USING (id)
WHERE total > 0 AND invoices.number IS NOT NULL
