-- Every line of every account: usage, fees, commitments, in the order of their terms. Usage
-- beyond a commitment is not compared by fractions: multiplied it may not fit.
CREATE OR REPLACE TEMP TABLE draft_lines AS
WITH usage AS (
    SELECT account, stretch, sum(amount)::HUGEINT AS amount FROM rated_lines GROUP BY ALL
),

short AS (
    SELECT
        members.account, terms.term, terms.even, terms.below,
        terms.least * terms.minor AS wanted,
        coalesce(usage.amount, 0::HUGEINT) AS used, wanted - used * terms.below AS above
    FROM members
    INNER JOIN commitment_terms AS terms USING (cohort)
    LEFT JOIN usage ON members.account = usage.account AND terms.stretch = usage.stretch
    WHERE used <= wanted // terms.below
),

every AS (
    SELECT
        account, term, place, rate, variant, records, own, quantity, packages, tiers, discount,
        bound, amount
    FROM rated_lines
    UNION ALL BY NAME
    SELECT
        members.account, fee_terms.term, fee_terms.term AS place, fee_terms.charged,
        CASE WHEN fee_terms.charged IS NOT NULL THEN fee_terms.amount END AS owed,
        fee_terms.amount - coalesce(fee_terms.charged, 0) AS amount
    FROM members INNER JOIN fee_terms USING (cohort)
    UNION ALL BY NAME
    SELECT account, term, term AS place, round_line(above, below, even) AS amount
    FROM short WHERE round_line(above, below, even) > 0
)

SELECT
    *, row_number() OVER (PARTITION BY account ORDER BY place, rate) AS line
FROM every
