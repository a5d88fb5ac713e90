-- A document for each of `credited` with what `crediting` takes back of its lines, in order of
-- their numbers. What takes back a credit note is an invoice.
CREATE OR REPLACE TEMP TABLE credit_notes AS
WITH sums AS (
    SELECT document, -sum(amount)::HUGEINT AS subtotal FROM crediting GROUP BY document
),

known AS (
    SELECT account_id, month, count(*) AS documents FROM invoices
    WHERE status <> 'draft' GROUP BY account_id, month
),

notes AS (
    SELECT
        documents.id AS document, documents.number AS document_number, sums.subtotal,
        CASE WHEN sums.subtotal > 0 THEN 'invoice' ELSE 'credit_note' END AS kind,
        documents.month || '.' || documents.account_id || '#' || (
            known.documents + row_number() OVER (
                PARTITION BY documents.account_id, documents.month ORDER BY documents.number
            )
        ) AS id
    FROM sums
    INNER JOIN invoices AS documents ON sums.document = documents.id
    INNER JOIN known
        ON documents.account_id = known.account_id AND documents.month = known.month
)

SELECT
    *,
    CASE kind WHEN 'invoice' THEN $invoice ELSE $credit_note END || printf(
        '%06d', CASE kind WHEN 'invoice' THEN $last_invoice ELSE $last_credit_note END
        + row_number() OVER (PARTITION BY kind ORDER BY document_number)
    ) AS number
FROM notes
