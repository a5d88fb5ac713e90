-- The closed periods that the documents adjust, alike ones together, under the books frozen then.
SELECT
    periods.month, periods.zone, periods.start_us, periods.end_us, periods.history,
    periods.books AS frozen,
    list_sort(list_distinct(list_concat(periods.books, verified.books))) AS books,
    verified.currency, NULL AS fees, list(DISTINCT verified.account_id ORDER BY verified.account_id)
FROM periods
INNER JOIN verified ON periods.invoice = verified.invoice AND periods.month <> verified.month
GROUP BY ALL ORDER BY min(verified.account_id)
