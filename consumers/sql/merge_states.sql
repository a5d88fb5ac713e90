-- The heartbeat with the greatest sequence speaks for its source; all bound `since`.
MERGE INTO source_state s
USING (
    SELECT source, server_id, sequence, phase, make_timestamp(beat_at) AS beat_at,
        make_timestamp(watermark) AS watermark,
        make_timestamp(min(watermark) OVER (PARTITION BY source)) AS since
    FROM incoming_heartbeat
    QUALIFY row_number() OVER (PARTITION BY source ORDER BY sequence DESC, ordinal) = 1
) h
    ON s.source = h.source
WHEN MATCHED AND h.sequence > s.sequence THEN UPDATE SET
    server_id = h.server_id, sequence = h.sequence, phase = h.phase, beat_at = h.beat_at,
    watermark = h.watermark, since = least(s.since, h.since)
WHEN MATCHED AND h.since < s.since THEN UPDATE SET since = h.since
WHEN NOT MATCHED THEN INSERT
