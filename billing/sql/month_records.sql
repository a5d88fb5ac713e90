-- The records that started in their account's own month (UTC for unknown accounts), with why
-- nothing rates one, if so.
CREATE OR REPLACE TEMP VIEW month_records AS
SELECT
    near_records.*, places.plan,
    CASE
        WHEN members.account IS NULL THEN 'no_account'
        WHEN near_records.record_id IN (SELECT record_id FROM conflicts) THEN 'conflict'
        WHEN places.stretch IS NULL THEN 'no_subscription'
        WHEN places.plan IS NULL THEN 'no_price'
        ELSE reasons.reason
    END AS reason
FROM near_records
LEFT JOIN members USING (account_id)
LEFT JOIN windows USING (cohort)
CROSS JOIN (SELECT start_at, end_at FROM windows WHERE cohort IS NULL) AS utc
LEFT JOIN places
    ON near_records.account_id = places.account_id
    AND near_records.started_at >= places.start_at AND near_records.started_at < places.end_at
LEFT JOIN reasons
    ON places.plan = reasons.plan AND near_records.meter = reasons.meter
    AND near_records.variant IS NOT DISTINCT FROM reasons.variant
WHERE near_records.started_at >= coalesce(windows.start_at, utc.start_at)
    AND near_records.started_at < coalesce(windows.end_at, utc.end_at)
