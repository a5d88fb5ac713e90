SELECT invoices.*, corrected.number AS corrected_number
FROM invoices LEFT JOIN invoices AS corrected ON invoices.corrects = corrected.id
WHERE invoices.id IN (SELECT unnest($ids))
