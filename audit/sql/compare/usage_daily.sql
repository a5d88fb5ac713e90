SELECT day, account_id, meter, variant, records, duration_us, quantity, sum(side)::BIGINT AS times
FROM (
    SELECT *, 1 AS side FROM old.usage_daily
    UNION ALL BY NAME
    SELECT *, -1 AS side FROM usage_daily
)
WHERE records <> 0 OR duration_us <> 0 OR quantity <> 0
GROUP BY ALL
HAVING sum(side) <> 0
