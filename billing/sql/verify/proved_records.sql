-- The records of the evidence, each once, as usage.
CREATE OR REPLACE TEMP TABLE proved_records AS
SELECT DISTINCT
    record_id::UUID AS record_id, started_at, account_id, meeting_id, participant_id, meter,
    variant, last_seen, stopped, FALSE AS cancelled, quantity, continues::UUID AS continues
FROM evidence
