-- The evidence as it is written: whole numbers wider than 64 bits are text.
CREATE OR REPLACE TEMP VIEW evidence AS
SELECT
    number, invoice, invoice || '.' || printf('%04d', line) AS line_id,
    record_id::VARCHAR AS record_id, started_at, account_id, meeting_id, participant_id, meter,
    variant, continues::VARCHAR AS continues, last_seen, stopped, quantity,
    chargeable::VARCHAR AS chargeable, rate_unit::VARCHAR AS unit
FROM rated_records
