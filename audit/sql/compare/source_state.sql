SELECT * EXCLUDE (side), sum(side)::BIGINT AS times
FROM (
    SELECT source, server_id, sequence, phase, beat_at, watermark, since,
        1 AS side
    FROM old.source_state
    UNION ALL
    SELECT source, server_id, sequence, phase, beat_at, watermark, since,
        -1
    FROM source_state
)
GROUP BY ALL
HAVING sum(side) <> 0
