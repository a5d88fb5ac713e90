SELECT account_id, month, invoices.number, invoices.id IS NOT NULL AS is_closed
FROM changed_months
LEFT JOIN (
    FROM invoices WHERE status IN ('final', 'nil') AND credit IS NULL
) AS invoices USING (account_id, month)
ORDER BY account_id, month
