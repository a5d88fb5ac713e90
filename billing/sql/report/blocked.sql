-- What keeps drafts open, but for holds, and accounts from having one; `why` is of the first.
SELECT code, count(DISTINCT account_id) AS accounts, min(account_id) AS first, arg_min(why, account_id) AS why
FROM (
    SELECT code, account_id, coalesce(why, '') AS why FROM blocks WHERE code <> 'HELD'
    UNION ALL
    SELECT code, account_id, why FROM report_left_out
)
GROUP BY code ORDER BY code
