-- The documents of one act that are to be derived again; others that were asked for are not.
CREATE OR REPLACE TEMP TABLE verified AS
SELECT
    row_number() OVER (ORDER BY id) AS place, id AS invoice, coalesce(number, id) AS name,
    account_id, month, run, currency, books, apart, evidence_rows, evidence_sha256
FROM invoices
WHERE run = $run AND credit IS NULL AND id IN (SELECT id FROM asked)
