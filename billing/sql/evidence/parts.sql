-- The documents that a run closes in parts of about so many records, as the first and the last account
-- of each.
WITH sizes AS (
    SELECT closing.account, coalesce(sum(sums.records), 0)::BIGINT AS records
    FROM closing LEFT JOIN sums USING (account)
    GROUP BY closing.account
    UNION ALL
    SELECT drafts.account, count(*) AS records
    FROM adjusted_records INNER JOIN drafts ON adjusted_records.whose = drafts.account_id
    GROUP BY drafts.account
),

parts AS (
    SELECT account, sum(records) OVER (ORDER BY account)::BIGINT // $rows AS part FROM sizes
)

SELECT min(account), max(account) FROM parts GROUP BY part ORDER BY part
