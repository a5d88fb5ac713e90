-- What is frozen of each account: its last closed month and where that ended; whether this month
-- is closed, in which zone; and this month's bounds, as far as it or its neighbours fix them.
SELECT
    account_id, max(month) AS last, max_by(end_us, month) AS end_us,
    bool_or(month = $month) AS is_closed, max(zone) FILTER (month = $month) AS zone,
    coalesce(
        max(start_us) FILTER (month = $month), max(end_us) FILTER (month = $before)
    ) AS start_us,
    coalesce(
        max(end_us) FILTER (month = $month), max(start_us) FILTER (month = $after)
    ) AS until_us
FROM invoices WHERE status IN ('final', 'nil') GROUP BY account_id
