-- The first slice that does not go on where its partition stands, or where the slice before it ends.
WITH told AS (
    SELECT *, lag(next) OVER (PARTITION BY log, topic, "partition" ORDER BY ordinal) AS earlier
    FROM incoming_slices
)
SELECT told.topic, told."partition", coalesce(told.earlier, p.next) AS stands, told.start
FROM told
LEFT JOIN positions AS p USING (log, topic, "partition")
WHERE told.start <> coalesce(told.earlier, p.next)
ORDER BY told.ordinal
LIMIT 1
