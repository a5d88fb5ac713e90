-- The drafts that cannot be closed now, each with the first reason.
CREATE OR REPLACE TEMP TABLE blocked AS
SELECT account, account_id, arg_min(code, (place, code)) AS code
FROM blocks GROUP BY account, account_id
