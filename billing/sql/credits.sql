-- An account's credits with what is left of each, in the order in which they are drawn.
SELECT
    credits.credit, credits.reference, credits.amount, credits.received_us, credits.expires,
    credits.amount - coalesce(sum(draws.amount) FILTER (invoices.status <> 'void'), 0)::HUGEINT
        AS left
FROM prepaid_credits AS credits
LEFT JOIN prepaid_draws AS draws USING (credit)
LEFT JOIN invoices ON draws.invoice = invoices.id
WHERE credits.account_id = $account
GROUP BY ALL ORDER BY credits.expires, credits.received_us, credits.credit
