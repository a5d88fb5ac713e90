-- The accounts of which an import changed anything but plans, and whether it brought them.
SELECT account_id, account_id NOT IN (SELECT account_id FROM accounts_before) AS is_new
FROM (FROM accounts EXCEPT FROM accounts_before) ORDER BY account_id
