CREATE OR REPLACE TEMP TABLE subscriptions_before AS
FROM subscriptions WHERE $account IS NULL OR account_id = $account
