-- A file of evidence as it was written: what is none cannot be read as it.
CREATE OR REPLACE TEMP MACRO stored_evidence(path) AS TABLE
SELECT
    number::VARCHAR AS number, invoice::VARCHAR AS invoice, record_id::VARCHAR AS record_id,
    started_at::TIMESTAMP AS started_at, account_id::VARCHAR AS account_id,
    meeting_id::VARCHAR AS meeting_id, participant_id::VARCHAR AS participant_id,
    meter::VARCHAR AS meter, variant::VARCHAR AS variant, continues::VARCHAR AS continues,
    last_seen::TIMESTAMP AS last_seen, stopped::BOOLEAN AS stopped, quantity::BIGINT AS quantity,
    lines::INTEGER[] AS lines, chargeable::VARCHAR[] AS chargeable
FROM read_parquet(path)
