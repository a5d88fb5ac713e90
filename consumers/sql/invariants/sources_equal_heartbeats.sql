-- Who sent heartbeats has one state, that of the last of them; who told a count of refused events of
-- a topic that is read told its total too.
WITH beats AS (
    SELECT source, max(last) AS sequence FROM sequences WHERE topic = 'sources.heartbeat' GROUP BY ALL
),
states AS (SELECT source, sequence FROM source_state)
SELECT
    (SELECT coalesce(sum(abs(times)), 0)::BIGINT FROM (
        SELECT * EXCLUDE (side), sum(side) AS times
        FROM (SELECT *, 1 AS side FROM beats UNION ALL SELECT *, -1 FROM states)
        GROUP BY ALL
    ))
    + (SELECT count(*) FROM refusals r
        ANTI JOIN source_totals t ON t.source = r.source AND t.topic = r.topic
        WHERE r.topic IN (SELECT topic FROM batches))
    + (SELECT count(*) FROM (
        FROM source_totals SELECT source, topic GROUP BY ALL HAVING count(*) > 1
    ))
    + (SELECT count(*) FROM (
        FROM refusals SELECT source, topic, refused GROUP BY ALL HAVING count(*) > 1
    ))
    + (SELECT count(*) FROM (
        FROM settlements SELECT source, settled_by, settled_at GROUP BY ALL HAVING count(*) > 1
    ))
