-- Each sample has its RTT in the sketch of its cell; a cell is one row of quality_hourly.
WITH sketched AS (
    SELECT cell, (sum(samples) FILTER (WHERE metric = 'rtt_ms'))::HUGEINT AS samples
    FROM sketch_buckets GROUP BY cell
),
counted AS (SELECT cell, samples FROM quality_hourly)
SELECT
    (SELECT count(*) FROM (
        (FROM counted EXCEPT ALL FROM sketched) UNION ALL (FROM sketched EXCEPT ALL FROM counted)
    ))
    + (SELECT count(*) FROM (
        FROM quality_hourly SELECT hour, region, server_id, server_version, client, network
        GROUP BY ALL HAVING count(*) > 1
    ))
    + (SELECT count(*) FROM (
        FROM sketch_buckets SELECT cell, metric, bucket GROUP BY ALL HAVING count(*) > 1
    ))
