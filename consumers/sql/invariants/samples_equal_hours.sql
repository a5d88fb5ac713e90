-- Over the days kept: a sample of an earlier day that is still there breaks it too.
WITH recount AS (
    SELECT date_trunc('hour', sampled_at) AS hour, region, server_id, server_version, client,
        network, count(*)::HUGEINT AS samples,
        count_if(
            rtt_ms > 500 OR jitter_ms > 30
            OR packets_lost::HUGEINT * 10 > packets_lost::HUGEINT + packets_received
        )::HUGEINT AS poor,
        sum(interval_s)::HUGEINT AS interval_s, sum(packets_received)::HUGEINT AS packets_received,
        sum(packets_lost)::HUGEINT AS packets_lost, sum(frozen_ms)::HUGEINT AS frozen_ms
    FROM quality_samples GROUP BY ALL
),
stored AS (
    SELECT * EXCLUDE (cell)
    FROM quality_hourly WHERE hour >= (SELECT first_day FROM samples_kept)
)
SELECT coalesce(sum(abs(times)), 0)::BIGINT FROM (
    SELECT * EXCLUDE (side), sum(side) AS times
    FROM (SELECT *, 1 AS side FROM recount UNION ALL SELECT *, -1 FROM stored)
    GROUP BY ALL
)
