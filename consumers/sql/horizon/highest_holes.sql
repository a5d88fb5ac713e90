-- Where the highest hole of every touched source and topic ends; null where nothing is missing.
CREATE OR REPLACE TEMP TABLE highest_holes AS
WITH looked_at AS (
    SELECT topic, source FROM touched UNION SELECT topic, source FROM promises
)
SELECT l.topic, l.source,
    CASE
        WHEN any_value(t.last) > coalesce(max(s.last), 0) THEN any_value(t.last)
        WHEN max(s.first) > 1 THEN max(s.first) - 1
    END AS last
FROM looked_at l
LEFT JOIN sequences s ON s.topic = l.topic AND s.source = l.source
LEFT JOIN source_totals t ON t.topic = l.topic AND t.source = l.source
GROUP BY l.topic, l.source
