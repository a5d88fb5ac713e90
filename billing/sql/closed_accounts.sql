SELECT account_id FROM invoices
WHERE month = $month AND status IN ('final', 'nil') AND credit IS NULL
