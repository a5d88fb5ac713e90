-- The accounts whose last closed month is before the one that precedes this and was charged, in
-- advance, with fees of the month after it: what those cost is settled there, so that it comes first.
SELECT last.account_id, last.month
FROM (
    SELECT account_id, max(month) AS month, max_by(id, month) AS id
    FROM closed_documents GROUP BY account_id HAVING max(month) < $before
) AS last
SEMI JOIN invoice_lines AS lines
    ON last.id = lines.invoice AND lines.advance AND lines.month > last.month AND lines.amount <> 0
