-- The items on closed documents that runs made and that are not void. A credit note by hand stands
-- under the terms of what it gives back.
CREATE OR REPLACE TEMP VIEW billed_items AS
SELECT terms.content ->> 'code' AS item, coalesce(invoices.number, invoices.id) AS billed
FROM invoice_lines AS lines
INNER JOIN invoices ON lines.invoice = invoices.id
INNER JOIN terms USING (term)
WHERE lines.kind = 'item' AND invoices.credit IS NULL AND invoices.status IN ('final', 'nil')
