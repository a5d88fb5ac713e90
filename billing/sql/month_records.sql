-- The uncancelled records that started in their account's own month (UTC for unknown accounts),
-- with the stretch each belongs to and whether its record_id has several identities.
CREATE OR REPLACE TEMP TABLE month_records AS
WITH near AS (SELECT *, epoch_us(started_at) AS start_us FROM near_records)

SELECT
    near.*, epoch_us(near.last_seen) - near.start_us AS duration_us,
    known.account_id IS NOT NULL AS known,
    stretches.stretch
FROM near
LEFT JOIN windows AS known ON near.account_id = known.account_id
CROSS JOIN (SELECT start_us, end_us FROM windows WHERE account_id IS NULL) AS utc
LEFT JOIN stretches
    ON near.account_id = stretches.account_id
    AND near.start_us >= stretches.start_us AND near.start_us < stretches.end_us
WHERE near.start_us >= coalesce(known.start_us, utc.start_us)
    AND near.start_us < coalesce(known.end_us, utc.end_us)
