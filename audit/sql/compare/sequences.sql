SELECT * EXCLUDE (side), sum(side)::BIGINT AS times
FROM (
    SELECT topic, source, first, last,
        1 AS side
    FROM old.sequences
    UNION ALL
    SELECT topic, source, first, last,
        -1
    FROM sequences
)
GROUP BY ALL
HAVING sum(side) <> 0
