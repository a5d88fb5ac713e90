-- Usage that no charge rates and no plan gives away, with the first reason that holds.
WITH judged AS (
    SELECT
        *,
        CASE
            WHEN NOT known THEN 'no_account'
            WHEN conflict THEN 'conflict'
            WHEN stretch IS NULL THEN 'no_subscription'
            WHEN stretch IN (SELECT stretch FROM stretches WHERE NOT priced) THEN 'no_price'
            WHEN NOT EXISTS (
                SELECT 1 FROM lines
                WHERE lines.stretch = month_records.stretch AND lines.meter = month_records.meter
                    AND (lines.variant IS NULL OR lines.variant = month_records.variant)
            ) AND NOT EXISTS (
                SELECT 1 FROM free_meters
                WHERE free_meters.stretch = month_records.stretch
                    AND free_meters.meter = month_records.meter
            ) THEN 'no_charge'
        END AS reason
    FROM month_records
)

SELECT
    account_id, meter, variant, count(*) AS records, sum(duration_us)::HUGEINT AS duration_us,
    sum(coalesce(quantity, 0))::HUGEINT AS quantity, reason
FROM judged
WHERE reason IS NOT NULL AND ($account IS NULL OR account_id = $account)
GROUP BY account_id, meter, variant, reason
ORDER BY account_id, meter, variant NULLS FIRST, reason
