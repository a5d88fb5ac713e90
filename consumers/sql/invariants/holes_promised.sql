-- Every hole is proven or promised, and what is proven ends with a hole that is there.
WITH highest AS (SELECT topic, source, max(last) AS last FROM gaps GROUP BY ALL)
SELECT count(*) FROM (
    SELECT topic, source FROM highest h
    LEFT JOIN proven v USING (topic, source)
    LEFT JOIN (SELECT topic, source, count(*) AS times FROM promises GROUP BY ALL) p
        USING (topic, source)
    WHERE (h.last > coalesce(v.last, 0)) <> (coalesce(p.times, 0) = 1)
    UNION ALL
    SELECT topic, source FROM proven v
    LEFT JOIN highest h USING (topic, source)
    WHERE h.last IS NULL OR h.last < v.last
    UNION ALL
    SELECT topic, source FROM promises ANTI JOIN highest USING (topic, source)
    UNION ALL
    SELECT topic, source FROM proven GROUP BY ALL HAVING count(*) > 1
)
