MERGE INTO server_hourly h
USING (
    SELECT
        date_trunc('hour', make_timestamp(sampled_at)) AS hour, region, server_id, version,
        count(*) AS samples, max(meetings) AS meetings_max, max(participants) AS participants_max,
        max(capacity) AS capacity_max, max(egress_bps) AS egress_bps_max, max(cpu) AS cpu_max,
        max(memory) AS memory_max
    FROM incoming_load l
    SEMI JOIN fresh f ON f.topic = 'servers.load' AND f.ordinal = l.ordinal
    GROUP BY ALL
) l
    ON h.hour = l.hour AND h.region = l.region AND h.server_id = l.server_id
    AND h.version = l.version
WHEN MATCHED THEN UPDATE SET
    samples = h.samples + l.samples, meetings_max = greatest(h.meetings_max, l.meetings_max),
    participants_max = greatest(h.participants_max, l.participants_max),
    capacity_max = greatest(h.capacity_max, l.capacity_max),
    egress_bps_max = greatest(h.egress_bps_max, l.egress_bps_max),
    cpu_max = greatest(h.cpu_max, l.cpu_max), memory_max = greatest(h.memory_max, l.memory_max)
WHEN NOT MATCHED THEN INSERT
