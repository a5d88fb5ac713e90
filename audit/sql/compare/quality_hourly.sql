SELECT hour, region, server_id, server_version, client, network, samples, poor, interval_s,
    packets_received, packets_lost, frozen_ms, sum(side)::BIGINT AS times
FROM (
    SELECT *, 1 AS side FROM old.quality_hourly
    UNION ALL BY NAME
    SELECT *, -1 AS side FROM quality_hourly
)
GROUP BY ALL
HAVING sum(side) <> 0
