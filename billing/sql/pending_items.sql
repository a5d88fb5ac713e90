-- The one-off items that stand on no document of a run that counts. A credit note by hand stands
-- under the terms of what it gives back.
SELECT items.*
FROM items
ANTI JOIN (
    SELECT terms.content ->> 'code' AS item
    FROM invoice_lines AS lines
    INNER JOIN invoices ON lines.invoice = invoices.id
    INNER JOIN terms USING (term)
    WHERE lines.kind = 'item' AND invoices.credit IS NULL AND invoices.status IN ('final', 'nil')
) AS billed USING (item)
ORDER BY items.account_id, items.on_day, items.item
