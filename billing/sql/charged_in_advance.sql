-- What final documents of earlier months charged in advance for the month, by fee.
SELECT
    invoices.account_id, terms.content ->> 'book' AS book, terms.content ->> 'plan' AS plan,
    terms.content ->> 'code' AS code, max(terms.content ->> 'description') AS description,
    sum(lines.amount)::HUGEINT AS amount
FROM invoice_lines AS lines
INNER JOIN invoices ON lines.invoice = invoices.id
INNER JOIN terms USING (term)
WHERE lines.month = $month AND lines.advance AND invoices.month < $month
    AND invoices.status IN ('final', 'nil')
GROUP BY ALL ORDER BY ALL
