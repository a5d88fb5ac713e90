-- The few that rose most and fell most, of each currency.
SELECT account_id, currency, before, now, change
FROM report_changes WHERE change <> 0
QUALIFY
    (change > 0 AND row_number() OVER (PARTITION BY currency ORDER BY change DESC, account_id) <= $most)
    OR (change < 0 AND row_number() OVER (PARTITION BY currency ORDER BY change, account_id) <= $most)
ORDER BY currency, change DESC, account_id
