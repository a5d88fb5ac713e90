SELECT topic, source, first, last, sum(side)::BIGINT AS times
FROM (
    SELECT *, 1 AS side FROM old.sequences
    UNION ALL BY NAME
    SELECT *, -1 AS side FROM sequences
)
GROUP BY ALL
HAVING sum(side) <> 0
