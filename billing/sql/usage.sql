SELECT
    account_id, meter, variant, count(*) AS records, sum(duration_us)::HUGEINT AS duration_us,
    sum(coalesce(quantity, 0))::HUGEINT AS quantity
FROM month_records WHERE $account IS NULL OR account_id = $account
GROUP BY ALL ORDER BY account_id, meter, variant NULLS FIRST
