SELECT
    record_id, started_at, account_id, meeting_id, participant_id, meter, variant, last_seen,
    stopped, cancelled, quantity, continues
FROM logged_records WHERE account_id IN (SELECT account_id FROM verified)
