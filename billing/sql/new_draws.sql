-- What documents draw: an account's credits end to end, soonest to expire first, laid beside its
-- totals end to end. A total draws on what lies beside it.
CREATE OR REPLACE TEMP TABLE new_draws AS
WITH days AS (SELECT DISTINCT account_id, issued_on FROM closing_totals),

laid AS (
    SELECT
        account_id, credits.credit, credits.left_over,
        sum(credits.left_over) OVER (
            PARTITION BY account_id ORDER BY credits.expires, credits.received_us, credits.credit
            ROWS UNBOUNDED PRECEDING
        )::HUGEINT AS upto
    FROM prepaid_left AS credits INNER JOIN days USING (account_id)
    WHERE credits.expires >= days.issued_on AND credits.left_over > 0
),

totals AS (
    SELECT
        invoice, account_id, total, sum(total) OVER (
            PARTITION BY account_id ORDER BY invoice ROWS UNBOUNDED PRECEDING
        )::HUGEINT AS upto
    FROM closing_totals
)

SELECT
    totals.invoice, laid.credit,
    least(laid.upto, totals.upto)
    - greatest(laid.upto - laid.left_over, totals.upto - totals.total) AS amount
FROM laid INNER JOIN totals USING (account_id)
WHERE laid.upto > totals.upto - totals.total AND totals.upto > laid.upto - laid.left_over
