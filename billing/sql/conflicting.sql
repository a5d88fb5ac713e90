-- How many records of each account’s month are in conflict.
CREATE OR REPLACE TEMP TABLE conflicting AS
SELECT near_records.account_id, count(*) AS records
FROM near_records
INNER JOIN members USING (account_id)
INNER JOIN windows USING (cohort)
WHERE near_records.started_at >= windows.start_at AND near_records.started_at < windows.end_at
    AND near_records.record_id IN (SELECT record_id FROM conflicts)
GROUP BY near_records.account_id
