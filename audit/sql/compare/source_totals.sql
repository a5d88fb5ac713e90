SELECT source, topic, last, sum(side)::BIGINT AS times
FROM (
    SELECT *, 1 AS side FROM old.source_totals
    UNION ALL BY NAME
    SELECT *, -1 AS side FROM source_totals
)
GROUP BY ALL
HAVING sum(side) <> 0
