-- Over the days kept, each bucket counted anew from the samples.
WITH told AS (
    SELECT
        date_trunc('hour', sampled_at) AS hour, region, server_id, server_version, client, network,
        unnest(['rtt_ms', 'jitter_ms', 'join_ms', 'loss_ratio', 'freeze_ratio']) AS metric,
        unnest([
            rtt_ms, jitter_ms, join_ms::DOUBLE,
            packets_lost / nullif(packets_lost::HUGEINT + packets_received, 0),
            frozen_ms / nullif(interval_s::HUGEINT * 1000, 0)
        ]) AS value
    FROM quality_samples
),
recount AS (
    SELECT * EXCLUDE (value),
        CASE WHEN value > 0 THEN ceil(ln(value) / ln(1.01 / 0.99))::INTEGER END AS bucket,
        count(*)::HUGEINT AS samples
    FROM told WHERE value IS NOT NULL GROUP BY ALL
),
stored AS (
    SELECT hour, region, server_id, server_version, client, network, metric, bucket, samples
    FROM quality_sketch WHERE hour >= (SELECT first_day FROM samples_kept)
)
SELECT count(*) FROM (
    (FROM recount EXCEPT ALL FROM stored) UNION ALL (FROM stored EXCEPT ALL FROM recount)
)
