SELECT account_id, item, on_day, description, amount, tax_category
FROM items WHERE item NOT IN (SELECT item FROM billed_items)
ORDER BY account_id, on_day, item
