-- What is left of each credit, be it expired or not. What a void document gave back is a draw below
-- zero.
CREATE OR REPLACE TEMP VIEW prepaid_left AS
WITH used AS (
    SELECT credit, sum(amount)::HUGEINT AS amount FROM prepaid_draws GROUP BY credit
)

SELECT credits.*, credits.amount - coalesce(used.amount, 0::HUGEINT) AS left_over
FROM prepaid_credits AS credits LEFT JOIN used USING (credit)
