INSERT INTO invoices BY NAME
SELECT
    id, account_id, month, 'invoice' AS kind, 'draft' AS status, currency, plan, zone, start_us,
    end_us, seller, buyer, subtotal, books
FROM drafts
