-- Of the logs that were replayed: a store that read the journal and then Kafka knows both.
SELECT record_id, log, "partition", first_offset, last_offset, sum(side)::BIGINT AS times
FROM (
    SELECT *, 1 AS side FROM old.record_places WHERE log IN (SELECT log FROM positions)
    UNION ALL BY NAME
    SELECT *, -1 AS side FROM record_places
)
GROUP BY ALL
HAVING sum(side) <> 0
