MERGE INTO positions AS p
USING (
    SELECT log, topic, "partition", arg_max(next, ordinal) AS next
    FROM incoming_slices
    GROUP BY ALL
) AS moved
USING (log, topic, "partition")
WHEN MATCHED THEN UPDATE SET next = moved.next
WHEN NOT MATCHED THEN INSERT (log, topic, "partition", next)
    VALUES (moved.log, moved.topic, moved."partition", moved.next)
