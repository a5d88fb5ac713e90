-- By currency and plan, then the currency's own sum, where there are several plans.
SELECT
    currency, CASE WHEN grouping(plan) = 1 THEN 'all plans' ELSE coalesce(plan, 'no plan') END AS plan,
    count(*) AS documents, sum(subtotal)::HUGEINT AS total
FROM report_totals WHERE month = $month
GROUP BY GROUPING SETS ((currency, plan), (currency))
HAVING grouping(plan) = 0 OR count(DISTINCT coalesce(plan, '')) > 1
ORDER BY currency, grouping(report_totals.plan), report_totals.plan NULLS LAST
