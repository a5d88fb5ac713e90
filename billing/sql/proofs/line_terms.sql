-- What stands behind the lines of a document and is not printed.
SELECT lines.line, lines.quantity, lines.records, terms.content
FROM invoice_lines AS lines INNER JOIN terms USING (term)
WHERE lines.invoice = $id
ORDER BY lines.line
