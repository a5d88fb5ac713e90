-- An OPEN that names the totals of another source settles it. It may do so in several messages.
MERGE INTO settlements s
USING (
    SELECT total.source AS source, h.source AS settled_by, make_timestamp(beat_at) AS settled_at,
        max(CASE WHEN total.topic = 'sources.heartbeat' THEN total.last ELSE 0 END) AS beats
    FROM (
        SELECT source, beat_at, unnest(totals) AS total FROM incoming_heartbeat WHERE phase = 'OPEN'
    ) h
    WHERE total.source <> h.source
    GROUP BY ALL
) t
    ON s.source = t.source AND s.settled_by = t.settled_by AND s.settled_at = t.settled_at
WHEN MATCHED THEN UPDATE SET beats = greatest(s.beats, t.beats)
WHEN NOT MATCHED THEN INSERT
