-- Lines whose terms are gone, or are not those that they were named by.
WITH used AS (
    SELECT lines.invoice, lines.line, lines.term
    FROM invoice_lines AS lines SEMI JOIN asked ON lines.invoice = asked.id
),

known AS (
    SELECT term, replace(term::VARCHAR, '-', '') = left(sha256(content), 32) AS is_whole
    FROM terms SEMI JOIN used USING (term)
)

SELECT
    used.invoice, 'TERMS_BROKEN' AS code,
    coalesce(invoices.number, invoices.id) || ' line ' || used.invoice || '.'
    || printf('%04d', used.line) AS name,
    CASE WHEN known.term IS NULL THEN 'its terms ' || used.term || ' are gone'
        ELSE 'its terms ' || used.term || ' are not what their hash says' END AS message
FROM used
INNER JOIN invoices ON used.invoice = invoices.id
LEFT JOIN known USING (term)
WHERE NOT coalesce(known.is_whole, FALSE)
ORDER BY name
