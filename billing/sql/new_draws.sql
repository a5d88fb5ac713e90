-- What documents draw: an account's credits end to end, soonest to expire first, laid beside its
-- totals end to end. A total draws on what lies beside it.
CREATE OR REPLACE TEMP TABLE new_draws AS
WITH used AS (
    SELECT draws.credit, sum(draws.amount)::HUGEINT AS amount
    FROM prepaid_draws AS draws INNER JOIN invoices ON draws.invoice = invoices.id
    WHERE invoices.status <> 'void' GROUP BY draws.credit
),

days AS (SELECT DISTINCT account_id, issued_on FROM closing_totals),

usable AS (
    SELECT
        account_id, credits.credit, credits.expires, credits.received_us,
        credits.amount - coalesce(used.amount, 0::HUGEINT) AS amount
    FROM prepaid_credits AS credits
    INNER JOIN days USING (account_id)
    LEFT JOIN used USING (credit)
    WHERE credits.expires >= days.issued_on AND amount > 0
),

laid AS (
    SELECT
        *, sum(amount) OVER (
            PARTITION BY account_id ORDER BY expires, received_us, credit ROWS UNBOUNDED PRECEDING
        )::HUGEINT AS upto
    FROM usable
),

totals AS (
    SELECT
        *, sum(total) OVER (
            PARTITION BY account_id ORDER BY invoice ROWS UNBOUNDED PRECEDING
        )::HUGEINT AS upto
    FROM closing_totals
)

SELECT
    totals.invoice, laid.credit,
    least(laid.upto, totals.upto)
    - greatest(laid.upto - laid.amount, totals.upto - totals.total) AS amount
FROM laid INNER JOIN totals USING (account_id)
WHERE laid.upto > totals.upto - totals.total AND totals.upto > laid.upto - laid.amount
