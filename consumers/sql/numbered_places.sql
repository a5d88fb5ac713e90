SELECT log, "partition", place
FROM places
WHERE (log, "partition") IN (
    SELECT (unnest($logs::VARCHAR[]), unnest($partitions::VARCHAR[]))
)
