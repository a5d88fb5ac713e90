SELECT count(*) FROM (
    FROM server_hourly SELECT hour, region, server_id, version GROUP BY ALL HAVING count(*) > 1
)
