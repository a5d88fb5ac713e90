-- The one-off items that the documents carry.
SELECT
    verified.account_id, items.item, items.on_day, items.description, items.amount,
    items.tax_category, items.ledger_account, items.concession, invoices.zone, verified.currency
FROM frozen_lines AS lines
INNER JOIN verified USING (invoice)
INNER JOIN invoices ON verified.invoice = invoices.id
INNER JOIN terms USING (term)
INNER JOIN items
    ON terms.content ->> 'code' = items.item AND verified.account_id = items.account_id
WHERE lines.kind = 'item'
ORDER BY verified.account_id, items.on_day, items.item
