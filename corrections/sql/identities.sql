-- Every identity of these records, cancelled ones too.
SELECT
    record_id, epoch_us(started_at) AS started_us, account_id, meeting_id, participant_id, meter,
    variant, epoch_us(last_seen) AS last_seen_us, cancelled
FROM usage_records
WHERE record_id IN (SELECT unnest($records))
