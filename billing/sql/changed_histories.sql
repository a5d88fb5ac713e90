CREATE OR REPLACE TEMP TABLE changed_histories AS
WITH after AS (FROM subscriptions WHERE $account IS NULL OR account_id = $account)

SELECT account_id FROM (FROM after EXCEPT FROM subscriptions_before)
UNION
SELECT account_id FROM (FROM subscriptions_before EXCEPT FROM after)
