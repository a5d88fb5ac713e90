SELECT * EXCLUDE (side), sum(side)::BIGINT AS times
FROM (
    SELECT source, topic, last,
        1 AS side
    FROM old.source_totals
    UNION ALL
    SELECT source, topic, last,
        -1
    FROM source_totals
)
GROUP BY ALL
HAVING sum(side) <> 0
