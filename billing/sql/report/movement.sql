SELECT
    currency, count(before) AS accounts_before, count(now) AS accounts,
    count(*) FILTER (before IS NULL) AS new, count(*) FILTER (now IS NULL) AS gone,
    coalesce(sum(before), 0)::HUGEINT AS before, coalesce(sum(now), 0)::HUGEINT AS now
FROM report_changes GROUP BY currency ORDER BY currency
