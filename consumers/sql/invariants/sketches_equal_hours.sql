-- Each sample has its RTT and its jitter in the sketch of its cell, and no metric more often; a cell
-- is one row of quality_hourly.
WITH sketched AS (
    SELECT cell, sum(samples) FILTER (metric = 'rtt_ms') AS rtts,
        sum(samples) FILTER (metric = 'jitter_ms') AS jitters
    FROM sketch_buckets GROUP BY cell
),
counted AS (SELECT cell, samples AS rtts, samples AS jitters FROM quality_hourly),
crowded AS (
    SELECT cell FROM sketch_buckets b JOIN quality_hourly h USING (cell)
    GROUP BY cell, metric HAVING sum(b.samples) > any_value(h.samples)
)
SELECT
    (SELECT coalesce(sum(abs(times)), 0)::BIGINT FROM (
        SELECT * EXCLUDE (side), sum(side) AS times
        FROM (SELECT *, 1 AS side FROM counted UNION ALL SELECT *, -1 FROM sketched)
        GROUP BY ALL
    ))
    + (SELECT count(*) FROM crowded)
    + (SELECT count(*) FROM (
        FROM quality_hourly SELECT hour, region, server_id, server_version, client, network
        GROUP BY ALL HAVING count(*) > 1
    ))
    + (SELECT count(*) FROM (
        FROM sketch_buckets SELECT cell, metric, bucket GROUP BY ALL HAVING count(*) > 1
    ))
