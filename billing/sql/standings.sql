-- What is frozen of each account: its last month with a document, its zone and where it ended; whether
-- this month is closed, or was and is void now, and in which zone; and this month's bounds, as far
-- as it or its neighbours fix them. A void month keeps its bounds.
SELECT
    account_id, max(month) AS last, max_by(zone, month) AS last_zone,
    max_by(end_us, month) AS end_us,
    bool_or(month = $month AND status <> 'void') AS is_closed, bool_or(month = $month) AS is_known,
    max(zone) FILTER (month = $month) AS zone,
    coalesce(
        max(start_us) FILTER (month = $month), max(end_us) FILTER (month = $before)
    ) AS start_us,
    coalesce(
        max(end_us) FILTER (month = $month), max(start_us) FILTER (month = $after)
    ) AS until_us
FROM run_documents GROUP BY account_id
