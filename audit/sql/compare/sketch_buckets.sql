-- Cells are numbered in each store alone.
SELECT hour, region, server_id, server_version, client, network, metric, bucket, samples,
    sum(side)::BIGINT AS times
FROM (
    SELECT h.* EXCLUDE (samples), b.* EXCLUDE (cell), 1 AS side
    FROM old.quality_hourly h JOIN old.sketch_buckets b USING (cell)
    UNION ALL BY NAME
    SELECT h.* EXCLUDE (samples), b.* EXCLUDE (cell), -1 AS side
    FROM quality_hourly h JOIN sketch_buckets b USING (cell)
)
GROUP BY ALL
HAVING sum(side) <> 0
