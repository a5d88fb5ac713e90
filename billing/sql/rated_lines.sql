-- Every usage line: its tiers, what they come to, the discount, the bounds, and the one division
-- and rounding. Numerators are over what `billing.terms` says.
CREATE OR REPLACE TEMP TABLE rated_lines AS
WITH every AS (
    SELECT members.account, usage_terms.term
    FROM members INNER JOIN usage_terms USING (cohort)
    WHERE NOT usage_terms.by_variant
),

sized AS (
    SELECT
        every.account, every.term, NULL AS line_variant, coalesce(chargeable.records, 0) AS records,
        coalesce(chargeable.own, 0) AS own, coalesce(chargeable.beyond, FALSE) AS beyond,
        coalesce(chargeable.quantity, 0::HUGEINT) AS quantity
    FROM every LEFT JOIN chargeable USING (account, term)
    UNION ALL
    SELECT
        chargeable.account, chargeable.term, chargeable.line_variant, chargeable.records,
        chargeable.own, chargeable.beyond, chargeable.quantity
    FROM chargeable INNER JOIN usage_terms USING (term)
    WHERE usage_terms.by_variant
),

judged AS (
    SELECT
        terms.*, sized.account, sized.line_variant, sized.records,
        sized.beyond OR sized.quantity > terms.most OR sized.own > terms.most_records AS is_beyond,
        CASE WHEN is_beyond THEN 0 ELSE sized.own END AS own,
        CASE WHEN is_beyond THEN 0::HUGEINT ELSE sized.quantity END AS chargeable,
        greatest(chargeable - terms.included, 0::HUGEINT) AS net
    FROM sized INNER JOIN usage_terms AS terms USING (term)
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
                WHEN model = 'package' THEN net
                WHEN model = 'graduated' THEN
                    greatest(least(coalesce(tier.upper, net), net) - tier.lower, 0::HUGEINT)
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
    account, term, place, line_variant, stretch, records, own, is_beyond,
    chargeable AS quantity, packages, filled_tiers AS tiers, kept - model_amount * keep_of AS discount, exact - kept AS bound,
    round_line(exact * minor, below, even) AS amount
FROM bounded
