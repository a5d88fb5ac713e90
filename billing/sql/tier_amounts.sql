-- Each tier of each line: what is inside, and its exact amount over unit * price_scale. The
-- line's own amount in the currency's smallest units is divided and rounded once, half up.
WITH terms AS (
    SELECT
        line, unit::HUGEINT AS unit, included::HUGEINT AS included,
        minor::HUGEINT AS minor, unit::HUGEINT * price_scale::HUGEINT AS below
    FROM line_terms
),

net AS (
    SELECT line, quantity, greatest(quantity - included, 0::HUGEINT) AS net, unit, minor, below
    FROM chargeable INNER JOIN terms USING (line)
),

poured AS (
    SELECT
        line, tier, quantity, minor, below, unit, price::HUGEINT AS price,
        greatest(least(coalesce(upper::HUGEINT, net), net) - lower::HUGEINT, 0::HUGEINT) AS inside,
        CASE WHEN net > lower::HUGEINT THEN flat::HUGEINT ELSE 0::HUGEINT END AS flat
    FROM net INNER JOIN line_tiers USING (line)
),

priced AS (SELECT *, inside * price + flat * unit AS above FROM poured),

totals AS (
    SELECT line, (sum(above) * any_value(minor))::HUGEINT AS n, any_value(below) AS d
    FROM priced GROUP BY line
)

SELECT
    line, tier, quantity, inside, flat, above,
    n // d + CASE WHEN 2 * abs(n % d) >= d THEN sign(n) ELSE 0 END AS amount_minor
FROM priced INNER JOIN totals USING (line) ORDER BY line, tier
