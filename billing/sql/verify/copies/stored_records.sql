-- As `near_records`, with those that are withdrawn.
SELECT
    record_id, started_at, account_id, meeting_id, participant_id, meter, variant, last_seen,
    stopped, cancelled, quantity, continues
FROM usage_records
WHERE started_at >= make_timestamp($from_us) AND started_at < make_timestamp($end_us)
UNION ALL
SELECT
    record_id, started_at, account_id, meeting_id, participant_id, meter, variant, last_seen,
    stopped, cancelled, quantity, continues
FROM usage_records
WHERE started_at >= make_timestamp($old_from_us) AND started_at < make_timestamp($old_end_us)
    AND NOT (started_at >= make_timestamp($from_us) AND started_at < make_timestamp($end_us))
    AND account_id IN (SELECT unnest($old_accounts))
