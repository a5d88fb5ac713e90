SELECT topic, sha256, state, source, sequence, sum(side)::BIGINT AS times
FROM (
    SELECT *, 1 AS side FROM old.quarantine
    UNION ALL BY NAME
    SELECT *, -1 AS side FROM quarantine
)
GROUP BY ALL
HAVING sum(side) <> 0
