SELECT lines.*, terms.content, origins.number AS origin_number
FROM invoice_lines AS lines
INNER JOIN terms USING (term)
LEFT JOIN invoices AS origins ON lines.origin = origins.id
WHERE lines.invoice IN (SELECT unnest($ids))
ORDER BY lines.invoice, lines.line
