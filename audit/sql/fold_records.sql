-- As the projector merges into what it knows: batches in any order give the same.
CREATE OR REPLACE TEMP TABLE replayed_records AS
SELECT
    record_id, started_at, account_id, meeting_id, participant_id, meter, variant,
    max(last_seen) AS last_seen, bool_or(stopped) AS stopped, bool_or(cancelled) AS cancelled,
    max(quantity) AS quantity, max(continues) AS continues
FROM told_records
GROUP BY ALL
