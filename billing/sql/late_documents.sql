SELECT account_id, month, invoices.number, invoices.id IS NOT NULL AS is_closed, FALSE AS is_ahead
FROM changed_months
LEFT JOIN closed_documents AS invoices USING (account_id, month)
WHERE NOT changed_months.is_ahead
UNION ALL
SELECT
    months.account_id, months.month, max_by(invoices.number, invoices.run) AS number,
    TRUE AS is_closed, TRUE AS is_ahead
FROM changed_months AS months
INNER JOIN charging($act) AS lines
    ON months.account_id = lines.account_id AND months.month = lines.month AND lines.advance
INNER JOIN invoices ON lines.invoice = invoices.id
WHERE months.is_ahead
GROUP BY months.account_id, months.month HAVING sum(lines.amount) <> 0
ORDER BY account_id, month
