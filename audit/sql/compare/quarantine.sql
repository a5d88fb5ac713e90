SELECT * EXCLUDE (side), sum(side)::BIGINT AS times
FROM (
    SELECT topic, sha256, state, source, sequence,
        1 AS side
    FROM old.quarantine
    UNION ALL
    SELECT topic, sha256, state, source, sequence,
        -1
    FROM quarantine
)
GROUP BY ALL
HAVING sum(side) <> 0
