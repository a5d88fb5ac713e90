-- A document for each of `credited` with what `crediting` takes back of its lines, in order of
-- their numbers, with the tax of it. What takes back a credit note is an invoice.
CREATE OR REPLACE TEMP TABLE credit_notes AS
WITH sums AS (
    SELECT document, -sum(amount)::HUGEINT AS subtotal FROM crediting GROUP BY document
),

taxes AS (
    SELECT invoice AS document, sum(tax)::HUGEINT AS tax FROM credited_taxes GROUP BY invoice
),

known AS (
    SELECT account_id, month, max(place_of(id, account_id)) AS place FROM invoices
    GROUP BY account_id, month
),

notes AS (
    SELECT
        documents.id AS document, documents.number AS document_number, sums.subtotal,
        CASE WHEN documents.tax IS NOT NULL THEN coalesce(taxes.tax, 0::HUGEINT) END AS tax,
        CASE WHEN (sums.subtotal + coalesce(taxes.tax, 0::HUGEINT), sums.subtotal) < (0, 0)
            THEN 'credit_note' ELSE 'invoice' END AS kind,
        documents.month || '.' || documents.account_id || '#' || (
            known.place + row_number() OVER (
                PARTITION BY documents.account_id, documents.month ORDER BY documents.number
            )
        ) AS id
    FROM sums
    INNER JOIN invoices AS documents ON sums.document = documents.id
    LEFT JOIN taxes USING (document)
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
