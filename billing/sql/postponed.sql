-- Periods that hold a conflict are not adjusted before it is settled.
CREATE OR REPLACE TEMP TABLE postponed AS
SELECT DISTINCT members.account_id, months.month
FROM near_records
INNER JOIN members USING (account_id)
INNER JOIN windows USING (cohort)
INNER JOIN revisited_months AS months USING (cohort)
WHERE near_records.started_at >= windows.start_at AND near_records.started_at < windows.end_at
    AND near_records.record_id IN (SELECT record_id FROM conflicts)
