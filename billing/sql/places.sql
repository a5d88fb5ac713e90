-- Each account's stretches: where a record belongs is one join by account.
CREATE OR REPLACE TEMP TABLE places AS
SELECT
    members.account_id, members.account, stretches.stretch, stretches.plan, stretches.start_at,
    stretches.end_at
FROM members INNER JOIN stretches USING (cohort)
