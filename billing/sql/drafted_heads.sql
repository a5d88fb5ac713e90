-- The drafts as rows of `invoices`.
CREATE OR REPLACE TEMP VIEW drafted_heads AS
SELECT
    id, account_id, month, 'invoice' AS kind, 'draft' AS status, NULL::VARCHAR AS number,
    NULL::DATE AS issued_on, NULL::DATE AS due_on, currency, plan, zone, start_us, end_us, seller,
    buyer, subtotal, books
FROM drafts
