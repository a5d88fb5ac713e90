-- What the month holds, by meter: the days as billing reads them.
SELECT
    meter, count(DISTINCT account_id) AS accounts, sum(records)::BIGINT AS records,
    (sum(duration_us) // 3600000000)::BIGINT AS hours, sum(quantity)::HUGEINT::VARCHAR AS quantity
FROM usage_daily
WHERE day >= make_timestamp($since_us) AND day < make_timestamp($until_us)
GROUP BY meter
