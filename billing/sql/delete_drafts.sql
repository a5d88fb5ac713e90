DELETE FROM invoices
WHERE month = $month AND status = 'draft' AND ($account IS NULL OR account_id = $account)
