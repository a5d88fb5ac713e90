SELECT invoices.*, corrected.number AS corrected_number,
    corrected.issued_on AS corrected_issued_on
FROM invoices LEFT JOIN invoices AS corrected ON invoices.corrects = corrected.id
WHERE invoices.id IN (SELECT unnest($ids))
