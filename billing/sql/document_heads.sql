FROM invoices WHERE id IN (SELECT unnest($ids))
