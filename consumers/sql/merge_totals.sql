-- Own totals; those of others in an OPEN alone, which settles them. A topic that is not read is
-- missing nothing.
MERGE INTO source_totals s
USING (
    SELECT total.source AS source, total.topic AS topic, max(total.last) AS last
    FROM (SELECT source, phase, unnest(totals) AS total FROM incoming_heartbeat) h
    WHERE (total.source = h.source OR h.phase = 'OPEN') AND list_contains($topics, total.topic)
    GROUP BY ALL
) t
    ON s.source = t.source AND s.topic = t.topic
WHEN MATCHED THEN UPDATE SET last = greatest(s.last, t.last)
WHEN NOT MATCHED THEN INSERT
