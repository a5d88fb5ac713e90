-- The rated records of a run, in order of invoice and line. Whole numbers wider than 64 bits are
-- text. `chargeable` is over `unit`, and null where rounding is not by record.
CREATE OR REPLACE TEMP TABLE evidence AS
SELECT
    closing.account, closing.number, closing.id AS invoice,
    closing.id || '.' || printf('%04d', draft_lines.line) AS line_id,
    records.record_id::VARCHAR AS record_id, records.started_at, records.account_id,
    records.meeting_id, records.participant_id, records.meter, records.variant,
    records.continues::VARCHAR AS continues, records.last_seen, records.stopped, records.quantity,
    coalesce(records.rounded64::HUGEINT, records.rounded128)::VARCHAR AS chargeable,
    rates.unit::VARCHAR AS unit
FROM closing
INNER JOIN draft_lines USING (account)
INNER JOIN rates USING (rate)
INNER JOIN line_records AS records
    ON closing.account = records.account AND draft_lines.rate = records.rate
