-- Poor by the rule of Teams CQD for audio: RTT > 500 ms, loss > 10 %, or jitter > 30 ms.
MERGE INTO quality_hourly h
USING (
    SELECT
        date_trunc('hour', sampled_at) AS hour, region, server_id, server_version, client, network,
        count(*) AS samples,
        count_if(
            rtt_ms > 500 OR jitter_ms > 30
            OR packets_lost::HUGEINT * 10 > packets_lost::HUGEINT + packets_received
        ) AS poor,
        sum(interval_s) AS interval_s, sum(packets_received) AS packets_received,
        sum(packets_lost) AS packets_lost, sum(frozen_ms) AS frozen_ms,
        (SELECT coalesce(max(cell), 0) FROM quality_hourly) + row_number() OVER () AS cell
    FROM fresh_quality
    GROUP BY ALL
) q
    ON h.hour = q.hour AND h.region = q.region AND h.server_id = q.server_id
    AND h.server_version = q.server_version AND h.client = q.client AND h.network = q.network
WHEN MATCHED THEN UPDATE SET
    samples = h.samples + q.samples, poor = h.poor + q.poor,
    interval_s = h.interval_s + q.interval_s,
    packets_received = h.packets_received + q.packets_received,
    packets_lost = h.packets_lost + q.packets_lost, frozen_ms = h.frozen_ms + q.frozen_ms
WHEN NOT MATCHED THEN INSERT
