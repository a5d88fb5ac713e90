-- The items that no closed document that a run made bills; void ones do not count. A credit note by
-- hand stands under the terms of what it gives back.
SELECT account_id, item, on_day, description, amount, tax_category
FROM items
WHERE item NOT IN (
    SELECT terms.content ->> 'code'
    FROM invoice_lines AS lines
    INNER JOIN invoices ON lines.invoice = invoices.id
    INNER JOIN terms USING (term)
    WHERE lines.kind = 'item' AND invoices.credit IS NULL AND invoices.status IN ('final', 'nil')
)
ORDER BY account_id, on_day, item
