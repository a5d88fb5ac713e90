-- A row of the evidence as it is hashed: a JSON array without spaces, instants in microseconds since
-- 1970, UTC (docs/proving.md).
CREATE OR REPLACE TEMP MACRO evidence_text(one) AS json_array(
    one.number, one.invoice, one.record_id, epoch_us(one.started_at), one.account_id,
    one.meeting_id, one.participant_id, one.meter, one.variant, one.continues,
    epoch_us(one.last_seen), one.stopped, one.quantity, one.lines, one.chargeable
)::VARCHAR
