UPDATE invoices SET prepaid = returned.amount
FROM (SELECT invoice, -sum(amount)::HUGEINT AS amount FROM returned_draws GROUP BY invoice) AS returned
WHERE invoices.id = returned.invoice
