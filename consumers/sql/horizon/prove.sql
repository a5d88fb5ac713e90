-- What a promise waits for is all of its horizon, but of a journal its source's own partition alone:
-- no other holds its events.
MERGE INTO proven v
USING (
    SELECT topic, source, last FROM promises p
    WHERE horizon IS NOT NULL AND NOT EXISTS (
        FROM horizons h
        WHERE h.horizon = p.horizon AND h.topic = p.topic
            AND (h.log <> 'journal' OR h."partition" = p.source)
    )
) p
    ON v.topic = p.topic AND v.source = p.source
WHEN MATCHED THEN UPDATE SET last = greatest(v.last, p.last)
WHEN NOT MATCHED THEN INSERT
