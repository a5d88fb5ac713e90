SELECT hour, region, server_id, version, samples, meetings_max, participants_max, capacity_max,
    egress_bps_max, cpu_max, memory_max, sum(side)::BIGINT AS times
FROM (
    SELECT *, 1 AS side FROM old.server_hourly
    UNION ALL BY NAME
    SELECT *, -1 AS side FROM server_hourly
)
GROUP BY ALL
HAVING sum(side) <> 0
