WITH recount AS (
    SELECT started_at::DATE AS day, account_id, meter, variant, count(*) AS records,
        sum(epoch_us(last_seen) - epoch_us(started_at))::HUGEINT AS duration_us,
        coalesce(sum(quantity), 0)::HUGEINT AS quantity
    FROM usage_records WHERE NOT cancelled GROUP BY ALL
),
stored AS (
    SELECT day, account_id, meter, variant, records, duration_us, quantity
    FROM usage_daily WHERE records <> 0 OR duration_us <> 0 OR quantity <> 0
)
SELECT coalesce(sum(abs(times)), 0)::BIGINT FROM (
    SELECT * EXCLUDE (side), sum(side) AS times
    FROM (SELECT *, 1 AS side FROM recount UNION ALL SELECT *, -1 FROM stored)
    GROUP BY ALL
)
