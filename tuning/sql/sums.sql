-- Sums of the range, once per name of every dimension. Shares are ratios of these sums.
SELECT
    d.dimension, d.region, d.name, sum(samples) AS samples, sum(poor) AS poor,
    sum(interval_s) AS interval_s, sum(packets_received) AS packets_received,
    sum(packets_lost) AS packets_lost, sum(frozen_ms) AS frozen_ms
FROM quality_hourly q, LATERAL (VALUES
    ('all', '', 'all'), ('region', q.region, q.region), ('server', q.region, q.server_id),
    ('version', '', q.server_version), ('release', q.region, q.server_version),
    ('period', q.region,
        greatest(time_bucket(to_days($days), hour, $end::TIMESTAMP), $start)::DATE::VARCHAR),
    ('client', '', q.client), ('network', '', q.network)
) d (dimension, region, name)
WHERE hour >= $start AND hour < $end
GROUP BY ALL
