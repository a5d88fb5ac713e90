-- What is rated of `near_all`, the records of one source, withdrawn ones too.
CREATE OR REPLACE TEMP VIEW near_records AS
SELECT
    record_id, started_at, last_seen, account_id, meeting_id, participant_id, meter, variant,
    continues, stopped, quantity,
    (epoch_us(last_seen) - epoch_us(started_at))::BIGINT AS duration_us
FROM near_all WHERE NOT cancelled
