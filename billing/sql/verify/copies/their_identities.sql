-- Every identity of the near records that have several, wherever the others are, and when the store
-- was last told of its like.
WITH shared AS (
    SELECT record_id FROM usage_records WHERE record_id IN (SELECT record_id FROM $stored_records)
    GROUP BY record_id HAVING count(*) > 1
)

SELECT one.record_id, one.started_at, one.cancelled, coalesce(daily.last_batch, 0) AS last_batch
FROM usage_records AS one
SEMI JOIN shared ON one.record_id = shared.record_id
LEFT JOIN usage_daily AS daily
    ON one.account_id = daily.account_id AND one.started_at::DATE = daily.day
    AND one.meter = daily.meter AND one.variant IS NOT DISTINCT FROM daily.variant
