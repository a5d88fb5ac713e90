-- What a commitment was compared with was charged by its own lines.
SELECT
    invoices.number, invoices.id, invoices.status, invoices.account_id,
    invoices.id || '.' || printf('%04d', lines.line) AS line, terms.content, found.records
FROM found_lines AS found
INNER JOIN invoices ON found.invoice = invoices.id
INNER JOIN invoice_lines AS lines ON found.invoice = lines.invoice AND found.line = lines.line
INNER JOIN terms USING (term)
WHERE (terms.content ->> '$.measured.meter') IS NOT NULL
ORDER BY invoices.month, invoices.account_id, found.line
