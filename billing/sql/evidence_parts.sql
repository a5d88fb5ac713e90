-- The accounts that a run closes in parts of about so many rows of evidence, as the first and the last
-- account of each.
WITH sizes AS (
    SELECT closing.account, sum(coalesce(lines.records, 0))::BIGINT AS records
    FROM closing INNER JOIN draft_lines AS lines USING (account)
    GROUP BY closing.account
    UNION ALL
    SELECT closing.account, sum(coalesce(extra.records, 0))::BIGINT AS records
    FROM closing INNER JOIN extra_lines AS extra USING (account_id)
    GROUP BY closing.account
),

parts AS (
    SELECT account, sum(records) OVER (ORDER BY account)::BIGINT // $rows AS part FROM sizes
)

SELECT min(account), max(account) FROM parts GROUP BY part ORDER BY part
