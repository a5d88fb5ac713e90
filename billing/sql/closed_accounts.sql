SELECT account_id FROM invoices WHERE month = $month AND status <> 'draft'
