-- As `document_lines`, of drafts that are not kept. Cohorts may share terms.
SELECT lines.*, terms.content, origins.number AS origin_number
FROM drafted_lines AS lines
INNER JOIN (SELECT DISTINCT id, content FROM laid_terms) AS terms ON lines.term = terms.id
LEFT JOIN invoices AS origins ON lines.origin = origins.id
WHERE lines.invoice IN (SELECT unnest($ids))
ORDER BY lines.invoice, lines.line
