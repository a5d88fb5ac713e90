-- The drafts as rows of `invoices`.
CREATE OR REPLACE TEMP VIEW drafted_heads AS
SELECT
    id, account_id, month, kind, 'draft' AS status, NULL::VARCHAR AS number,
    NULL::DATE AS issued_on, NULL::DATE AS due_on, NULL::VARCHAR AS corrects,
    NULL::VARCHAR AS credit, NULL::VARCHAR AS reason, currency, plan, zone, start_us, end_us,
    seller, buyer, subtotal, tax, NULL::VARCHAR AS tax_in, NULL::HUGEINT AS prepaid, books,
    apart
FROM drafts
