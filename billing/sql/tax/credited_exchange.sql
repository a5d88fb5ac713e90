-- The credit notes on documents that told their tax in another currency, with what they give back of
-- each rate and what those told.
SELECT
    notes.id, notes.currency,
    list({'category': taxes.category, 'ppm': taxes.ppm, 'tax': taxes.tax}
        ORDER BY taxes.category, taxes.ppm DESC) AS parts,
    documents.tax_in
FROM invoices AS notes
INNER JOIN invoices AS documents ON notes.corrects = documents.id
INNER JOIN invoice_taxes AS taxes ON notes.id = taxes.invoice
WHERE notes.id IN (SELECT id FROM credit_notes) AND documents.tax_in IS NOT NULL
    AND notes.tax <> 0
GROUP BY notes.id, notes.currency, documents.tax_in ORDER BY notes.id
