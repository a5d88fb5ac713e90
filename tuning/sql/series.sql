-- RTT p95 and the share of poor calls of each region over time, in steps of $step.
WITH cells AS (
    SELECT date_trunc($step, hour) AS moment, region, bucket, sum(samples) AS samples
    FROM quality_sketch
    WHERE hour >= $start AND hour < $end AND metric = 'rtt_ms'
    GROUP BY ALL
),
running AS (
    SELECT
        moment, region,
        CASE WHEN bucket IS NULL THEN 0
            ELSE 2 / (1.01::DOUBLE / 0.99 + 1) * pow(1.01::DOUBLE / 0.99, least(bucket, 35480))
            END AS value,
        sum(samples) OVER (PARTITION BY moment, region ORDER BY bucket NULLS FIRST) AS reached,
        sum(samples) OVER (PARTITION BY moment, region) AS total
    FROM cells
),
rtt AS (
    SELECT moment, region, min(value) FILTER (WHERE 100 * reached >= 95 * total) AS rtt_ms_p95
    FROM running
    GROUP BY ALL
),
poor AS (
    SELECT
        date_trunc($step, hour) AS moment, region, sum(samples) AS samples,
        sum(poor) / nullif(sum(samples), 0) AS poor_share
    FROM quality_hourly
    WHERE hour >= $start AND hour < $end
    GROUP BY ALL
)
SELECT moment::TIMESTAMP AS moment, region, samples, rtt_ms_p95, poor_share
FROM poor LEFT JOIN rtt USING (moment, region)
ORDER BY moment, region
