-- What each server measured with each version in each period: the evidence behind advice.
-- A period is $days long; they are counted back from the end, so the first may be cut short.
SELECT
    region, server_id AS server, server_version AS version,
    greatest(time_bucket(to_days($days), hour, $end::TIMESTAMP), $start)::DATE AS period,
    min(hour)::TIMESTAMP AS first, sum(samples) AS samples, sum(poor) AS poor
FROM quality_hourly
WHERE hour >= $start AND hour < $end
GROUP BY ALL
ORDER BY region, server, version, period
