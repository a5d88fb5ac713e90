-- The concessions given on the documents that are made void: the month's next document carries
-- them over.
SELECT
    documents.account_id, documents.month, documents.currency, notes.number,
    terms.content ->> 'description' AS description,
    terms.content ->> '$.basis.tax_category' AS tax_category,
    terms.content ->> '$.basis.ledger_account' AS ledger_account, lines.amount
FROM credited
INNER JOIN invoices AS documents ON credited.id = documents.id
INNER JOIN invoices AS notes ON documents.id = notes.corrects AND notes.credit = 'concession'
INNER JOIN invoice_lines AS lines ON notes.id = lines.invoice
INNER JOIN terms USING (term)
ORDER BY documents.account_id, notes.number, lines.line
