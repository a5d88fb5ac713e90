-- What the store was told of after a batch, of the days near.
SELECT account_id, day, meter, variant, last_batch
FROM usage_daily
WHERE last_batch > $last_batch AND (
    day BETWEEN make_timestamp($from_us)::DATE AND make_timestamp($end_us)::DATE
    OR (
        day BETWEEN make_timestamp($old_from_us)::DATE AND make_timestamp($old_end_us)::DATE
        AND account_id IN (SELECT unnest($old_accounts))
    )
)
