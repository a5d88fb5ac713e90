-- Items with the document that bills each, as `pending_items` judges it.
WITH billed AS (
    SELECT terms.content ->> 'code' AS item, coalesce(invoices.number, invoices.id) AS billed
    FROM invoice_lines AS lines
    INNER JOIN invoices ON lines.invoice = invoices.id
    INNER JOIN terms USING (term)
    WHERE lines.kind = 'item' AND invoices.credit IS NULL AND invoices.status IN ('final', 'nil')
)

SELECT
    items.item, items.account_id, items.on_day, items.description, items.amount,
    accounts.currency, items.tax_category, billed.billed
FROM items
INNER JOIN accounts USING (account_id)
LEFT JOIN billed USING (item)
WHERE $account IS NULL OR items.account_id = $account
ORDER BY items.account_id, items.on_day, items.item
