SELECT
    what, count(totals.what) FILTER (status <> 'draft') AS closed,
    count(totals.what) FILTER (status = 'draft') AS drafts
FROM (SELECT unnest(['invoices', 'credit notes', 'nil']) AS what, unnest([1, 2, 3]) AS place) AS kinds
LEFT JOIN (FROM report_totals WHERE month = $month) AS totals USING (what)
GROUP BY what, place ORDER BY place
