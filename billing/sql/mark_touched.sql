-- The periods that touched days may belong to. A record lies in at most four UTC days, and a local
-- month begins at most a day before or after the calendar's. One too many costs a little time.
INSERT INTO revisits
WITH months AS (
    SELECT DISTINCT account_id, strftime(near, '%Y-%m') AS month
    FROM (
        SELECT
            account_id,
            unnest([day - to_days(1), day, day + to_days(1), day + to_days(3)]) AS near
        FROM touched_days
    )
),

spans AS (
    SELECT account_id, min(month) AS first, max(month) AS last
    FROM run_documents GROUP BY account_id
)

SELECT months.account_id, months.month, 'usage' AS reason
FROM months
INNER JOIN spans ON months.account_id = spans.account_id AND month BETWEEN first AND last
ANTI JOIN revisits ON months.account_id = revisits.account_id AND months.month = revisits.month
    AND revisits.reason = 'usage'
