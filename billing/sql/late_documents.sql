SELECT account_id, month, invoices.number, invoices.id IS NOT NULL AS is_closed
FROM changed_months
LEFT JOIN closed_documents AS invoices USING (account_id, month)
ORDER BY account_id, month
