DELETE FROM invoice_taxes WHERE invoice IN (
    SELECT id FROM invoices
    WHERE month = $month AND status = 'draft' AND account_id IN (SELECT account_id FROM members)
)
