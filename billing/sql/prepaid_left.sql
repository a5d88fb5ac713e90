-- What is left of each credit, be it expired or not: a draw counts unless its document is void.
CREATE OR REPLACE TEMP VIEW prepaid_left AS
WITH used AS (
    SELECT draws.credit, sum(draws.amount)::HUGEINT AS amount
    FROM prepaid_draws AS draws INNER JOIN invoices ON draws.invoice = invoices.id
    WHERE invoices.status <> 'void' GROUP BY draws.credit
)

SELECT credits.*, credits.amount - coalesce(used.amount, 0::HUGEINT) AS left_over
FROM prepaid_credits AS credits LEFT JOIN used USING (credit)
