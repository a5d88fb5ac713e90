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
SELECT count(*) FROM (
    (FROM recount EXCEPT ALL FROM stored) UNION ALL (FROM stored EXCEPT ALL FROM recount)
)
