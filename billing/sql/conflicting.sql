-- How many records of each account’s month are in conflict. Those few are found first: all records
-- by account are many.
CREATE OR REPLACE TEMP TABLE conflicting AS
WITH few AS MATERIALIZED (
    SELECT account_id, started_at FROM near_records
    WHERE record_id IN (SELECT record_id FROM conflicts)
)

SELECT few.account_id, count(*) AS records
FROM few
INNER JOIN members USING (account_id)
INNER JOIN windows USING (cohort)
WHERE few.started_at >= windows.start_at AND few.started_at < windows.end_at
GROUP BY few.account_id
