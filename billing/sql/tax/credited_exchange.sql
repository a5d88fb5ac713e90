-- The credit notes on documents that told their tax in another currency, with what those told.
SELECT notes.id, notes.currency, notes.tax, documents.tax_in
FROM invoices AS notes
INNER JOIN invoices AS documents ON notes.corrects = documents.id
WHERE notes.id IN (SELECT id FROM credit_notes) AND documents.tax_in IS NOT NULL
    AND notes.tax <> 0
ORDER BY notes.id
