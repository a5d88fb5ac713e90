-- The documents' own periods, alike ones together, with what was charged in advance for the month
-- before the act.
WITH fees AS (
    SELECT
        lines.account_id, terms.content ->> 'book' AS book, terms.content ->> 'plan' AS plan,
        terms.content ->> 'code' AS code, max(terms.content ->> 'description') AS description,
        sum(lines.amount)::HUGEINT AS amount,
        max_by(booked(terms.content), (lines.run, lines.line)) AS booked
    FROM charging($act) AS lines
    INNER JOIN terms USING (term)
    SEMI JOIN verified ON lines.account_id = verified.account_id
    WHERE lines.month = $month AND lines.advance
    GROUP BY ALL HAVING sum(lines.amount) <> 0
),

charged AS (
    SELECT
        account_id, list([book, plan, code, description, amount::VARCHAR, booked]
            ORDER BY book, plan, code) AS fees
    FROM fees GROUP BY account_id
)

SELECT
    periods.month, periods.zone, periods.start_us, periods.end_us, periods.history,
    [] AS frozen, list_sort(list_distinct(list_concat(periods.books, verified.books))) AS books,
    verified.currency, charged.fees, list(DISTINCT verified.account_id ORDER BY verified.account_id)
FROM periods
INNER JOIN verified ON periods.invoice = verified.invoice AND periods.month = verified.month
LEFT JOIN charged ON verified.account_id = charged.account_id
GROUP BY ALL ORDER BY min(verified.account_id)
