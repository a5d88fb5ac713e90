SELECT record_id, started_at, account_id, meeting_id, participant_id, meter, variant, last_seen,
    stopped, cancelled, quantity, continues, sum(side)::BIGINT AS times
FROM (
    SELECT *, 1 AS side FROM old.usage_records
    UNION ALL BY NAME
    SELECT *, -1 AS side FROM usage_records
)
GROUP BY ALL
HAVING sum(side) <> 0
