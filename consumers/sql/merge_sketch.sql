-- DDSketch (Masson, Rim, Lee 2019): bucket = ceil(ln v / ln γ), γ = 1.01/0.99.
MERGE INTO quality_sketch s
USING (
    SELECT
        date_trunc('hour', sampled_at) AS hour, region, server_id, server_version, client, network,
        metric, CASE WHEN value > 0 THEN ceil(ln(value) / ln(1.01 / 0.99))::INTEGER END AS bucket,
        count(*) AS samples
    FROM (
        SELECT
            sampled_at, region, server_id, server_version, client, network,
            unnest(['rtt_ms', 'jitter_ms', 'join_ms', 'loss_ratio', 'freeze_ratio']) AS metric,
            unnest([
                rtt_ms, jitter_ms, join_ms::DOUBLE,
                packets_lost / nullif(packets_lost::HUGEINT + packets_received, 0),
                frozen_ms / nullif(interval_s::HUGEINT * 1000, 0)
            ]) AS value
        FROM fresh_quality
    )
    WHERE value IS NOT NULL
    GROUP BY ALL
) q
    ON s.hour = q.hour AND s.region = q.region AND s.server_id = q.server_id
    AND s.server_version = q.server_version AND s.client = q.client AND s.network = q.network
    AND s.metric = q.metric AND s.bucket IS NOT DISTINCT FROM q.bucket
WHEN MATCHED THEN UPDATE SET samples = s.samples + q.samples
WHEN NOT MATCHED THEN INSERT
