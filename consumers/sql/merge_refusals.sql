MERGE INTO refusals r
USING (
    SELECT total.source AS source, total.topic AS topic, total.refused AS refused,
        make_timestamp(min(beat_at)) AS first_beat, make_timestamp(max(beat_at)) AS last_beat
    FROM (SELECT source, beat_at, unnest(totals) AS total FROM incoming_heartbeat) h
    WHERE total.source = h.source
    GROUP BY ALL
) t
    ON r.source = t.source AND r.topic = t.topic AND r.refused = t.refused
WHEN MATCHED THEN UPDATE SET
    first_beat = least(r.first_beat, t.first_beat), last_beat = greatest(r.last_beat, t.last_beat)
WHEN NOT MATCHED THEN INSERT
