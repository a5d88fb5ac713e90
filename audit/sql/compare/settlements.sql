SELECT * EXCLUDE (side), sum(side)::BIGINT AS times
FROM (
    SELECT source, settled_by, settled_at, beats,
        1 AS side
    FROM old.settlements
    UNION ALL
    SELECT source, settled_by, settled_at, beats,
        -1
    FROM settlements
)
GROUP BY ALL
HAVING sum(side) <> 0
