SELECT id, number, status, kind, account_id, plan, currency, subtotal AS total
FROM invoices
WHERE ($month IS NULL OR month = $month) AND ($account IS NULL OR account_id = $account)
ORDER BY month, account_id, id
