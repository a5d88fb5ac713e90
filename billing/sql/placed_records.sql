-- The records of each stretch: that started in it, or were open in it, which peaks count. What has no
-- length was never open.
CREATE OR REPLACE TEMP VIEW placed_records AS
SELECT
    near_records.*, places.account, places.stretch, places.start_at, places.end_at,
    near_records.started_at >= places.start_at AS starts_here,
    near_records.started_at < near_records.last_seen AS is_open,
    near_records.continues IS NOT NULL
        AND near_records.continues <> near_records.record_id AS continuing,
    CASE WHEN continuing THEN 0 ELSE 1 END AS begun
FROM near_records
INNER JOIN places USING (account_id)
WHERE near_records.started_at < places.end_at
    AND (near_records.started_at >= places.start_at
        OR near_records.last_seen > places.start_at)
    AND near_records.record_id NOT IN (SELECT record_id FROM conflicts)
