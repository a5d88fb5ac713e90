-- In which of these months these accounts used anything: a record began in it, or was open into it.
SELECT DISTINCT records.account_id, months.start_us, months.end_us
FROM usage_records AS records
INNER JOIN (
    SELECT unnest($starts)::BIGINT AS start_us, unnest($ends)::BIGINT AS end_us
) AS months
    ON records.started_at < make_timestamp(months.end_us)
    AND (
        records.started_at >= make_timestamp(months.start_us)
        OR records.last_seen > make_timestamp(months.start_us)
    )
WHERE NOT records.cancelled AND records.account_id IN (SELECT unnest($accounts))
    AND records.started_at >= make_timestamp($from_us)
    AND records.started_at < make_timestamp($end_us)
