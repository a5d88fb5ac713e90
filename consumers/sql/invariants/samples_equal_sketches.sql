-- Over the days kept, each bucket counted anew from the samples. By cell, for its six columns in
-- every group took a gigabyte; a sample whose hour has no cell equals no bucket.
WITH told AS (
    SELECT
        h.cell,
        unnest(['rtt_ms', 'jitter_ms', 'join_ms', 'loss_ratio', 'freeze_ratio']) AS metric,
        unnest([
            s.rtt_ms, s.jitter_ms, s.join_ms::DOUBLE,
            s.packets_lost / nullif(s.packets_lost::HUGEINT + s.packets_received, 0),
            s.frozen_ms / nullif(s.interval_s::HUGEINT * 1000, 0)
        ]) AS value
    FROM quality_samples s
    LEFT JOIN quality_hourly h
        ON h.hour = date_trunc('hour', s.sampled_at) AND h.region = s.region
        AND h.server_id = s.server_id AND h.server_version = s.server_version
        AND h.client = s.client AND h.network = s.network
),
recount AS (
    SELECT cell, metric,
        CASE WHEN value > 0 THEN ceil(ln(value) / ln(1.01 / 0.99))::INTEGER END AS bucket,
        count(*)::HUGEINT AS samples
    FROM told WHERE value IS NOT NULL GROUP BY ALL
),
stored AS (
    SELECT b.cell, b.metric, b.bucket, b.samples::HUGEINT AS samples
    FROM sketch_buckets b JOIN quality_hourly h USING (cell)
    WHERE h.hour >= (SELECT first_day FROM samples_kept)
)
SELECT coalesce(sum(abs(times)), 0)::BIGINT FROM (
    SELECT * EXCLUDE (side), sum(side) AS times
    FROM (SELECT *, 1 AS side FROM recount UNION ALL SELECT *, -1 FROM stored)
    GROUP BY ALL
)
