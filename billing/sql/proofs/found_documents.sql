SELECT
    invoices.number, invoices.id, invoices.status, invoices.account_id, found.line_id AS line,
    terms.content, found.records
FROM found_lines AS found
INNER JOIN invoices ON found.invoice = invoices.id
INNER JOIN invoice_lines AS lines
    ON found.invoice = lines.invoice
    AND found.line_id = lines.invoice || '.' || printf('%04d', lines.line)
INNER JOIN terms USING (term)
ORDER BY invoices.month, invoices.account_id, found.line_id
