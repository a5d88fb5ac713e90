SELECT count(*) FROM (
    FROM usage_daily SELECT day, account_id, meter, variant GROUP BY ALL HAVING count(*) > 1
)
