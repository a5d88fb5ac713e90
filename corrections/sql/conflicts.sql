-- The identities of every record_id that has several uncancelled ones.
SELECT
    record_id, epoch_us(started_at) AS started_us, account_id, meeting_id, participant_id, meter,
    variant, epoch_us(last_seen) AS last_seen_us, cancelled
FROM usage_records
WHERE NOT cancelled AND record_id IN (
    SELECT record_id FROM usage_records WHERE NOT cancelled
    GROUP BY record_id HAVING count(*) > 1
)
