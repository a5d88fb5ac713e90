SELECT
    lines.*, terms.content, origins.number AS origin_number,
    origins.issued_on AS origin_issued_on, origins.month AS origin_month,
    origins.start_us AS origin_start_us, origins.end_us AS origin_end_us
FROM invoice_lines AS lines
INNER JOIN terms USING (term)
LEFT JOIN invoices AS origins ON lines.origin = origins.id
WHERE lines.invoice IN (SELECT unnest($ids))
ORDER BY lines.invoice, lines.line
