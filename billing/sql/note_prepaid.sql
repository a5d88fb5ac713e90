UPDATE invoices SET prepaid = drawn.amount
FROM (SELECT invoice, sum(amount)::HUGEINT AS amount FROM new_draws GROUP BY invoice) AS drawn
WHERE invoices.id = drawn.invoice
