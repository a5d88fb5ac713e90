-- Records without a participant that continue another of their line, where participants are
-- counted. They are few, so they are found before the others are put together.
CREATE OR REPLACE TEMP TABLE continued AS
WITH again AS (
    SELECT record_id, account, rate, continues
    FROM line_records
    WHERE "grouping" = 'unique' AND participant_id IS NULL AND continuing
)

SELECT again.record_id, again.account, again.rate
FROM line_records AS early
INNER JOIN again
    ON early.record_id = again.continues AND early.account = again.account
    AND early.rate = again.rate
WHERE early."grouping" = 'unique'
