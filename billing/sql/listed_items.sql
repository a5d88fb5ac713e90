-- Items with the document that bills each.
SELECT
    items.item, items.account_id, items.on_day, items.description, items.amount,
    accounts.currency, items.tax_category, items.ledger_account, items.concession, billed.billed
FROM items
INNER JOIN accounts USING (account_id)
LEFT JOIN billed_items AS billed USING (item)
WHERE $account IS NULL OR items.account_id = $account
ORDER BY items.account_id, items.on_day, items.item
