-- Cells are numbered in each store alone.
SELECT * EXCLUDE (side), sum(side)::BIGINT AS times
FROM (
    SELECT hour, region, server_id, server_version, client, network, metric, bucket, b.samples,
        1 AS side
    FROM old.quality_hourly h JOIN old.sketch_buckets b USING (cell)
    UNION ALL
    SELECT hour, region, server_id, server_version, client, network, metric, bucket, b.samples,
        -1
    FROM quality_hourly h JOIN sketch_buckets b USING (cell)
)
GROUP BY ALL
HAVING sum(side) <> 0
