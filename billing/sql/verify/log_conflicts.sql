-- The records that had several identities in the log, and of which the store has another at a time
-- that was not replayed.
CREATE OR REPLACE TEMP TABLE conflicts AS
SELECT record_id FROM (
    SELECT record_id FROM logged_records WHERE NOT cancelled
    UNION ALL
    SELECT record_id FROM shared_identities
    WHERE NOT cancelled AND (
        started_at < make_timestamp($from_us) OR started_at >= make_timestamp($end_us)
    )
)
GROUP BY record_id HAVING count(*) > 1
