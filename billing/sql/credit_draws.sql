SELECT
    credits.credit, coalesce(invoices.number, invoices.id) AS document, invoices.issued_on,
    draws.amount
FROM prepaid_credits AS credits
INNER JOIN prepaid_draws AS draws USING (credit)
INNER JOIN invoices ON draws.invoice = invoices.id
WHERE credits.account_id = $account
ORDER BY credits.credit, invoices.run, document
