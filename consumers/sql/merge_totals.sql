MERGE INTO source_totals s
USING (
    SELECT total.source AS source, total.topic AS topic, max(total.last) AS last
    FROM (SELECT unnest(totals) AS total FROM incoming_heartbeat)
    GROUP BY ALL
) t
    ON s.source = t.source AND s.topic = t.topic
WHEN MATCHED THEN UPDATE SET last = greatest(s.last, t.last)
WHEN NOT MATCHED THEN INSERT
