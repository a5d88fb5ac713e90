-- A quantile q of n values: the smallest bucket whose cumulative count is at least ceil(q * n).
-- A bucket's value is 2γ^i / (γ + 1), γ = 1.01/0.99; above i = 35480 it would pass the largest double.
-- In integers, with q in percent: 100 * count >= percent * n. A release is a version in a region; a
-- period is $days long, counted back from the end. 'not' is what each is compared with: its region
-- without it, or the periods before it.
WITH cells AS (
    SELECT d.dimension, d.region, d.name, metric, bucket, sum(samples) AS samples
    FROM quality_sketch q, LATERAL (VALUES
        ('all', '', 'all'), ('region', q.region, q.region), ('server', q.region, q.server_id),
        ('version', '', q.server_version), ('release', q.region, q.server_version),
        ('period', q.region,
            greatest(time_bucket(to_days($days), hour, $end::TIMESTAMP), $start)::DATE::VARCHAR),
        ('client', '', q.client), ('network', '', q.network)
    ) d (dimension, region, name)
    WHERE hour >= $start AND hour < $end
    GROUP BY ALL
),
rest AS (
    SELECT
        'not ' || s.dimension AS dimension, r.region, s.name, r.metric, r.bucket,
        r.samples - coalesce(o.samples, 0) AS samples
    FROM cells r
    JOIN (
        SELECT DISTINCT dimension, region, name FROM cells WHERE dimension IN ('server', 'release')
    ) s
        ON r.dimension = 'region' AND r.region = s.region
    LEFT JOIN cells o
        ON o.dimension = s.dimension AND o.region = s.region AND o.name = s.name
        AND o.metric = r.metric AND o.bucket IS NOT DISTINCT FROM r.bucket
    UNION ALL
    SELECT 'not period', b.region, p.name, b.metric, b.bucket, sum(b.samples)
    FROM cells b
    JOIN (SELECT DISTINCT region, name FROM cells WHERE dimension = 'period') p
        ON b.dimension = 'period' AND b.region = p.region AND b.name < p.name
    GROUP BY ALL
),
running AS (
    SELECT
        dimension, region, name, metric,
        CASE WHEN bucket IS NULL THEN 0
            ELSE 2 / (1.01::DOUBLE / 0.99 + 1) * pow(1.01::DOUBLE / 0.99, least(bucket, 35480))
            END AS value,
        sum(samples) OVER (
            PARTITION BY dimension, region, name, metric ORDER BY bucket NULLS FIRST
        ) AS reached,
        sum(samples) OVER (PARTITION BY dimension, region, name, metric) AS total
    FROM (FROM cells UNION ALL FROM rest)
    WHERE samples > 0
)
SELECT
    dimension, region, name, metric,
    min(value) FILTER (WHERE 100 * reached >= 50 * total) AS p50,
    min(value) FILTER (WHERE 100 * reached >= 95 * total) AS p95,
    min(value) FILTER (WHERE 100 * reached >= 99 * total) AS p99
FROM running
GROUP BY ALL
