CREATE OR REPLACE TEMP TABLE compared AS
SELECT
    kept.account_id, accounts.name, kept.plan,
    coalesce(sum(costs.amount) FILTER (NOT costs.is_new), 0)::HUGEINT AS old,
    coalesce(sum(costs.amount) FILTER (costs.is_new), 0)::HUGEINT AS new
FROM kept INNER JOIN accounts USING (account_id) LEFT JOIN costs USING (account_id)
GROUP BY ALL
