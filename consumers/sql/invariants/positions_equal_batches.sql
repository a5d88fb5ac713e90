-- Each batch goes on where the one before it ended, and the last of them is where a position stands.
WITH chain AS (
    SELECT log, topic, "partition", next, start, events,
        lag(next) OVER (PARTITION BY log, topic, "partition" ORDER BY batch, start) AS before
    FROM batches
),
ends AS (SELECT log, topic, "partition", max(next) AS next FROM batches GROUP BY ALL)
SELECT (SELECT count(*) FROM chain WHERE before <> start OR next - start < events)
    + (SELECT count(*) FROM ((FROM ends EXCEPT ALL FROM positions) UNION ALL
        (FROM positions EXCEPT ALL FROM ends)))
