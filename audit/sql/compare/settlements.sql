SELECT source, settled_by, settled_at, beats, sum(side)::BIGINT AS times
FROM (
    SELECT *, 1 AS side FROM old.settlements
    UNION ALL BY NAME
    SELECT *, -1 AS side FROM settlements
)
GROUP BY ALL
HAVING sum(side) <> 0
