-- The days of each account on which usage changed since a batch.
SELECT DISTINCT account_id, day FROM usage_daily
WHERE last_batch > $looked AND day <= make_timestamp($until_us - 1)::DATE
