MERGE INTO usage_records r
USING touched_records t
    ON r.record_id = t.record_id AND r.started_at = t.started_at
    AND r.account_id = t.account_id AND r.meeting_id = t.meeting_id
    AND r.participant_id IS NOT DISTINCT FROM t.participant_id
    AND r.meter = t.meter AND r.variant IS NOT DISTINCT FROM t.variant
WHEN MATCHED THEN UPDATE SET
    last_seen = t.last_seen, stopped = t.stopped, cancelled = t.cancelled,
    quantity = t.quantity, continues = t.continues,
    place = t.place, first_offset = t.first_offset, last_offset = t.last_offset
WHEN NOT MATCHED THEN INSERT VALUES (
    t.record_id, t.started_at, t.account_id, t.meeting_id, t.participant_id, t.meter, t.variant,
    t.last_seen, t.stopped, t.cancelled, t.quantity, t.continues,
    t.place, t.first_offset, t.last_offset
)
