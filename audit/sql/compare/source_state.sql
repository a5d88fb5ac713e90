SELECT source, server_id, sequence, phase, beat_at, watermark, since, sum(side)::BIGINT AS times
FROM (
    SELECT *, 1 AS side FROM old.source_state
    UNION ALL BY NAME
    SELECT *, -1 AS side FROM source_state
)
GROUP BY ALL
HAVING sum(side) <> 0
