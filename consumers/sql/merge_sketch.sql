-- DDSketch (Masson, Rim, Lee 2019): bucket = ceil(ln v / ln γ), γ = 1.01/0.99.
-- Every hour of the batch has its cell by now.
MERGE INTO sketch_buckets s
USING (
    SELECT
        cell, metric,
        CASE WHEN value > 0 THEN ceil(ln(value) / ln(1.01 / 0.99))::INTEGER END AS bucket,
        count(*) AS samples
    FROM (
        SELECT
            h.cell,
            unnest(['rtt_ms', 'jitter_ms', 'join_ms', 'loss_ratio', 'freeze_ratio']) AS metric,
            unnest([
                f.rtt_ms, f.jitter_ms, f.join_ms::DOUBLE,
                f.packets_lost / nullif(f.packets_lost::HUGEINT + f.packets_received, 0),
                f.frozen_ms / nullif(f.interval_s::HUGEINT * 1000, 0)
            ]) AS value
        FROM fresh_quality f
        JOIN quality_hourly h
            ON h.hour = date_trunc('hour', f.sampled_at) AND h.region = f.region
            AND h.server_id = f.server_id AND h.server_version = f.server_version
            AND h.client = f.client AND h.network = f.network
    )
    WHERE value IS NOT NULL
    GROUP BY ALL
) q
    ON s.cell = q.cell AND s.metric = q.metric AND s.bucket IS NOT DISTINCT FROM q.bucket
WHEN MATCHED THEN UPDATE SET samples = s.samples + q.samples
WHEN NOT MATCHED THEN INSERT
