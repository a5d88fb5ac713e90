-- Each sample has its RTT and its jitter in the sketch of its cell, and no metric more often; a cell
-- is one row of quality_hourly.
WITH sketched AS (
    SELECT cell, sum(samples) FILTER (metric = 'rtt_ms') AS rtts,
        sum(samples) FILTER (metric = 'jitter_ms') AS jitters
    FROM sketch_buckets GROUP BY cell
),
counted AS (SELECT cell, samples, samples FROM quality_hourly),
crowded AS (
    SELECT cell FROM sketch_buckets b JOIN quality_hourly h USING (cell)
    GROUP BY cell, metric HAVING sum(b.samples) > any_value(h.samples)
)
SELECT
    (SELECT count(*) FROM (
        (FROM counted EXCEPT ALL FROM sketched) UNION ALL (FROM sketched EXCEPT ALL FROM counted)
    ))
    + (SELECT count(*) FROM crowded)
    + (SELECT count(*) FROM (
        FROM quality_hourly SELECT hour, region, server_id, server_version, client, network
        GROUP BY ALL HAVING count(*) > 1
    ))
    + (SELECT count(*) FROM (
        FROM sketch_buckets SELECT cell, metric, bucket GROUP BY ALL HAVING count(*) > 1
    ))
