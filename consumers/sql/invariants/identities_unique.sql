SELECT count(*) FROM (
    FROM usage_records
    SELECT record_id, started_at, account_id, meeting_id, participant_id, meter, variant
    GROUP BY ALL HAVING count(*) > 1
)
