-- Near records of several identities, wherever the others are.
SELECT record_id
FROM usage_records
WHERE NOT cancelled AND record_id IN (
    SELECT record_id FROM usage_records
    WHERE NOT cancelled AND started_at >= make_timestamp($from_us)
        AND started_at < make_timestamp($end_us)
    UNION ALL
    SELECT record_id FROM usage_records
    WHERE NOT cancelled AND started_at >= make_timestamp($old_from_us)
        AND started_at < make_timestamp($old_end_us)
        AND account_id IN (SELECT unnest($old_accounts))
)
GROUP BY record_id HAVING count(*) > 1
