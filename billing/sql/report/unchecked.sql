-- Documents of the month, drafts too, that charge in reverse by a number of which no answer of the
-- registry is on record.
SELECT invoices.account_id, coalesce(invoices.number, invoices.id) AS document,
    invoices.buyer ->> 'vat_number' AS vat_number
FROM invoices
SEMI JOIN (SELECT invoice FROM invoice_taxes WHERE category = 'AE') AS reversed
    ON invoices.id = reversed.invoice
ANTI JOIN vat_checked ON invoices.account_id = vat_checked.account_id
WHERE invoices.month = $month AND invoices.status <> 'void' AND invoices.credit IS NULL
    AND ($everyone OR invoices.account_id IN (SELECT unnest($accounts)))
ORDER BY invoices.account_id, document
