SELECT account_id, currency FROM accounts
WHERE account_id IN (
    SELECT account_id FROM invoices WHERE status <> 'draft'
    UNION ALL SELECT account_id FROM prepaid_credits
    UNION ALL SELECT account_id FROM items
    UNION ALL SELECT account_id FROM alerts
)
