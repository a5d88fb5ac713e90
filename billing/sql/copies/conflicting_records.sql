-- Near records of several identities, wherever the others are.
SELECT record_id
FROM usage_records
WHERE NOT cancelled AND record_id IN (
    SELECT record_id FROM usage_records
    WHERE NOT cancelled AND started_at >= make_timestamp($from_us)
        AND started_at < make_timestamp($end_us)
)
GROUP BY record_id HAVING count(*) > 1
