WITH chain AS (
    SELECT log, topic, "partition", next, start,
        lag(next) OVER (PARTITION BY log, topic, "partition" ORDER BY batch) AS before
    FROM batches
),
ends AS (SELECT log, topic, "partition", max(next) AS next FROM batches GROUP BY ALL)
SELECT (SELECT count(*) FROM chain WHERE before <> start)
    + (SELECT count(*) FROM ((FROM ends EXCEPT FROM positions) UNION ALL
        (FROM positions EXCEPT FROM ends)))
