-- Over the days that both have kept.
SELECT source, sequence, record_id, account_id, meeting_id, server_id, server_version, region,
    client, network, sampled_at, interval_s, rtt_ms, jitter_ms, packets_received, packets_lost,
    bitrate_bps, frozen_ms, join_ms, sum(side)::BIGINT AS times
FROM (
    SELECT *, 1 AS side FROM old.quality_samples
    UNION ALL BY NAME
    SELECT *, -1 AS side FROM quality_samples
)
WHERE sampled_at >= (
    SELECT max(first_day) FROM (FROM old.samples_kept UNION ALL FROM samples_kept)
)
GROUP BY ALL
HAVING sum(side) <> 0
