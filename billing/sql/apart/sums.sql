-- What either part comes to.
UPDATE drafts SET
    subtotal = sums.subtotal, is_nil = sums.is_nil,
    kind = CASE WHEN sums.subtotal < 0 THEN 'credit_note' ELSE 'invoice' END
FROM (
    SELECT
        invoice, sum(amount)::HUGEINT AS subtotal, bool_and(amount = 0) AS is_nil
    FROM drafted_lines GROUP BY invoice
) AS sums
WHERE drafts.id = sums.invoice AND drafts.account_id IN (SELECT account_id FROM apart_lines)
