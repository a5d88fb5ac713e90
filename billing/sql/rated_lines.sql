-- Every usage line: its tiers, what they come to, the discount, the bounds, and the one division
-- and rounding. Numerators are over what `billing.terms` says.
CREATE OR REPLACE TEMP TABLE rated_lines AS
WITH sized AS (
    SELECT
        members.account, rates.rate, chargeable.records, chargeable.own, chargeable.beyond,
        chargeable.quantity
    FROM members
    INNER JOIN rates USING (cohort)
    LEFT JOIN chargeable ON members.account = chargeable.account AND rates.rate = chargeable.rate
    WHERE NOT rates.by_variant
    UNION ALL BY NAME
    SELECT chargeable.*
    FROM chargeable INNER JOIN rates USING (rate) WHERE rates.by_variant
),

judged AS (
    SELECT
        rates.*, sized.account, coalesce(sized.records, 0) AS records,
        coalesce(sized.own, 0) AS begun, coalesce(sized.quantity, 0::HUGEINT) AS whole,
        sized.beyond OR whole > rates.most OR begun > rates.most_records AS is_beyond,
        CASE WHEN is_beyond THEN 0 ELSE begun END AS own,
        CASE WHEN is_beyond THEN 0::HUGEINT ELSE whole END AS used,
        greatest(used - rates.included, 0::HUGEINT) AS net
    FROM sized INNER JOIN rates USING (rate)
),

packed AS (
    SELECT
        *,
        CASE
            WHEN model <> 'package' THEN NULL
            WHEN package_up AND net % package > 0 THEN net // package + 1
            ELSE net // package
        END AS packages
    FROM judged
),

poured AS (
    SELECT
        *,
        list_transform(tiers, lambda tier: {
            'inside': CASE
                WHEN model = 'graduated' THEN
                    greatest(least(tier.upper, net) - tier.lower, 0::HUGEINT)
                WHEN net > tier.lower AND net <= coalesce(tier.upper, net) THEN net
                ELSE 0::HUGEINT
            END,
            'flat': CASE
                WHEN net = 0 AND flat_at_zero AND tier.lower = 0 THEN tier.flat
                WHEN net > tier.lower
                    AND (model <> 'volume' OR net <= coalesce(tier.upper, net)) THEN tier.flat
                ELSE 0::HUGEINT
            END,
            'price': tier.price
        }) AS inside_tiers
    FROM packed
),

priced AS (
    SELECT
        *,
        list_transform(inside_tiers, lambda tier: {
            'quantity': tier.inside,
            'flat': tier.flat,
            'amount': CASE WHEN model = 'package' THEN packages * unit ELSE tier.inside END
                * tier.price + tier.flat * unit
        }) AS filled_tiers,
        coalesce(list_sum(list_transform(filled_tiers, lambda tier: tier.amount)), 0::HUGEINT)
        + net * price
        + CASE model WHEN 'percentage' THEN own * fixed WHEN 'flat' THEN fixed ELSE 0::HUGEINT END
            AS model_amount
    FROM poured
),

bounded AS (
    SELECT
        *, model_amount * keep AS kept,
        greatest(least(kept, ceiling), floor) AS exact
    FROM priced
)

SELECT
    account, rate, term, place, variant, stretch, records, own, is_beyond,
    used AS quantity, packages, filled_tiers AS tiers, kept - model_amount * keep_of AS discount, exact - kept AS bound,
    round_line(exact * minor, below, even) AS amount
FROM bounded
