-- As the projector folds a batch (consumers/sql/touched_records.sql).
INSERT INTO told_records
SELECT
    record_id::UUID AS record_id, make_timestamp(started_at) AS started_at,
    account_id, meeting_id, participant_id, meter, variant,
    make_timestamp(max(observed_at)) AS last_seen,
    bool_or(phase = 'STOP') AS stopped, bool_or(phase = 'CANCEL') AS cancelled,
    max(quantity) AS quantity, max(continues::UUID) AS continues
FROM incoming_usage
GROUP BY ALL
