SELECT * EXCLUDE (side), sum(side)::BIGINT AS times
FROM (
    SELECT record_id, started_at, account_id, meeting_id, participant_id, meter, variant,
        last_seen, stopped, cancelled, quantity, continues,
        1 AS side
    FROM old.usage_records
    UNION ALL
    SELECT record_id, started_at, account_id, meeting_id, participant_id, meter, variant,
        last_seen, stopped, cancelled, quantity, continues,
        -1
    FROM usage_records
)
GROUP BY ALL
HAVING sum(side) <> 0
