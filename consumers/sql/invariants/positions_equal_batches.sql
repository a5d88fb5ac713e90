-- Each batch goes on where the one before it ended, and the last of them is where a position stands.
WITH chain AS (
    SELECT log, topic, "partition", next, start, events,
        lag(next) OVER (PARTITION BY log, topic, "partition" ORDER BY batch, start) AS before
    FROM batches
),
ends AS (SELECT log, topic, "partition", max(next) AS next FROM batches GROUP BY ALL)
SELECT (SELECT count(*) FROM chain WHERE before <> start OR next - start < events)
    + (SELECT coalesce(sum(abs(times)), 0)::BIGINT FROM (
        SELECT * EXCLUDE (side), sum(side) AS times
        FROM (SELECT *, 1 AS side FROM ends UNION ALL SELECT *, -1 FROM positions)
        GROUP BY ALL
    ))
