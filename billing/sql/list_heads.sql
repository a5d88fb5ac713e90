-- Totals as documents have them: credit notes say what is given back.
SELECT
    id, number, status, kind, account_id, plan, currency,
    CASE WHEN kind = 'credit_note' THEN -1 ELSE 1 END
    * (subtotal + coalesce(tax, 0::HUGEINT)) AS total
FROM invoices
WHERE ($month IS NULL OR month = $month) AND ($account IS NULL OR account_id = $account)
ORDER BY month, account_id, coalesce(run, 9223372036854775807), id
