-- Over the days kept: a sample of an earlier day that is still there breaks it too.
WITH recount AS (
    SELECT date_trunc('hour', sampled_at) AS hour, region, server_id, server_version, client,
        network, count(*)::HUGEINT AS samples, sum(packets_lost)::HUGEINT AS packets_lost,
        sum(packets_received)::HUGEINT AS packets_received
    FROM quality_samples GROUP BY ALL
),
stored AS (
    SELECT hour, region, server_id, server_version, client, network, samples, packets_lost,
        packets_received
    FROM quality_hourly WHERE hour >= (SELECT first_day FROM samples_kept)
)
SELECT count(*) FROM (
    (FROM recount EXCEPT ALL FROM stored) UNION ALL (FROM stored EXCEPT ALL FROM recount)
)
