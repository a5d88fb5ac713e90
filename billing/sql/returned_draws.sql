-- What void documents give back of the prepaid credit they drew: never more than is taken back of them,
-- for the rest was given back by credit notes before. What expires last comes back first.
CREATE OR REPLACE TEMP TABLE returned_draws AS
WITH drawn AS (
    SELECT
        notes.id AS invoice, -(notes.subtotal + coalesce(notes.tax, 0::HUGEINT)) AS taken_back, draws.credit, draws.amount,
        sum(draws.amount) OVER (
            PARTITION BY notes.id
            ORDER BY credits.expires DESC, credits.received_us DESC, credits.credit DESC
            ROWS UNBOUNDED PRECEDING
        )::HUGEINT AS upto
    FROM credit_notes AS notes
    INNER JOIN prepaid_draws AS draws ON notes.document = draws.invoice
    INNER JOIN prepaid_credits AS credits USING (credit)
)

SELECT invoice, credit, -least(amount, taken_back - (upto - amount)) AS amount
FROM drawn WHERE taken_back > upto - amount
