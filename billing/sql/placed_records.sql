-- The records of each stretch: that started in it, or were open in it (which peaks count).
CREATE OR REPLACE TEMP VIEW placed_records AS
SELECT
    near_records.*, members.account, stretches.stretch, stretches.start_at, stretches.end_at,
    near_records.started_at >= stretches.start_at AS starts_here
FROM near_records
INNER JOIN members USING (account_id)
INNER JOIN stretches USING (cohort)
WHERE near_records.started_at < stretches.end_at
    AND (near_records.started_at >= stretches.start_at
        OR near_records.last_seen > stretches.start_at)
    AND near_records.record_id NOT IN (SELECT record_id FROM conflicts)
