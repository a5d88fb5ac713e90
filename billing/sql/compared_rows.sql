-- In order of what the new version changes: all accounts, or so many of those that would pay least
-- and most more.
SELECT
    account_id, name, plan, old, new, new - old AS difference
FROM compared
QUALIFY $most IS NULL
    OR (new < old AND row_number() OVER (ORDER BY new - old, account_id) <= $most)
    OR (new > old AND row_number() OVER (ORDER BY new - old DESC, account_id) <= $most)
ORDER BY difference, account_id
