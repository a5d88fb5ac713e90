-- Usage that no charge rates and no plan gives away, with the first reason that holds.
SELECT
    account_id, meter, variant, count(*) AS records, sum(duration_us)::HUGEINT AS duration_us,
    sum(coalesce(quantity, 0))::HUGEINT AS quantity, reason
FROM month_records
WHERE reason IS NOT NULL AND ($account IS NULL OR account_id = $account)
GROUP BY account_id, meter, variant, reason
ORDER BY account_id, meter, variant NULLS FIRST, reason
