-- Ends already reached are left out. A journal counts from 1, Kafka from 0.
INSERT INTO horizons
SELECT DISTINCT $horizon::BIGINT, e.log, e.topic, e."partition", e."end"
FROM log_ends e
JOIN promises p
    ON p.topic = e.topic AND p.horizon IS NULL
    AND (e.log <> 'journal' OR e."partition" = p.source)
LEFT JOIN positions q
    ON q.log = e.log AND q.topic = e.topic AND q."partition" = e."partition"
WHERE e."end" > coalesce(q.next, (e.log = 'journal')::BIGINT)
