-- Whose the first and the last of some of the records are.
SELECT coalesce(min(account), 0) AS first_account, coalesce(max(account), 0) AS last_account
FROM told_records WHERE rowid BETWEEN $first AND $last
