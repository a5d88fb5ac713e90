-- A horizon lies ahead of the positions, and every promise that was given one waits for it.
SELECT count(*) FROM (
    SELECT h.topic FROM horizons h
    JOIN positions p USING (log, topic, "partition")
    WHERE p.next >= h."end"
    UNION ALL
    SELECT p.topic FROM promises p
    WHERE p.horizon IS NOT NULL AND NOT EXISTS (
        FROM horizons h WHERE h.horizon = p.horizon AND h.topic = p.topic
            AND (h.log <> 'journal' OR h."partition" = p.source)
    )
    UNION ALL
    SELECT h.topic FROM horizons h
    WHERE NOT EXISTS (FROM promises p WHERE p.horizon = h.horizon AND p.topic = h.topic)
)
