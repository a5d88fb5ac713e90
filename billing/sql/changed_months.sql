-- The months between an account's first and last one with a document, void or not, of which its plans
-- before and now do not say the same of every day; and the month after those (`is_ahead`), which may
-- have been charged in advance. A month is told as the number of months since the year 0.
CREATE OR REPLACE TEMP TABLE changed_months AS
WITH spans AS (
    SELECT
        rows.account_id, rows.is_new, rows.since, rows.plan, rows.quantity,
        coalesce(rows.book, sole_books.book) AS book,
        coalesce(
            rows.until,
            lead(rows.since) OVER (PARTITION BY rows.account_id, rows.is_new ORDER BY rows.since),
            DATE '9999-12-31'
        ) AS until
    FROM (
        SELECT *, TRUE AS is_new FROM subscriptions
        UNION ALL
        SELECT *, FALSE AS is_new FROM subscriptions_before
    ) AS rows
    SEMI JOIN changed_histories USING (account_id)
    LEFT JOIN sole_books USING (plan)
),

edges AS (SELECT account_id, since AS day FROM spans UNION SELECT account_id, until FROM spans),

parts AS (
    SELECT
        account_id, day AS since, lead(day) OVER (PARTITION BY account_id ORDER BY day) AS until
    FROM edges
),

differing AS (
    SELECT
        parts.account_id, year(parts.since) * 12 + month(parts.since) - 1 AS first,
        year(parts.until - 1) * 12 + month(parts.until - 1) - 1 AS last
    FROM parts
    LEFT JOIN spans AS old
        ON NOT old.is_new AND parts.account_id = old.account_id
        AND parts.since >= old.since AND parts.until <= old.until
    LEFT JOIN spans AS new
        ON new.is_new AND parts.account_id = new.account_id
        AND parts.since >= new.since AND parts.until <= new.until
    WHERE parts.until IS NOT NULL AND (
        old.plan IS DISTINCT FROM new.plan OR old.book IS DISTINCT FROM new.book
        OR old.quantity IS DISTINCT FROM new.quantity
    )
),

closed AS (
    SELECT account_id, min(months) AS first, max(months) AS last
    FROM (
        SELECT account_id, left(month, 4)::BIGINT * 12 + right(month, 2)::BIGINT - 1 AS months
        FROM run_documents
    )
    GROUP BY account_id
),

found AS (
    SELECT DISTINCT differing.account_id, closed.last, unnest(range(
        greatest(differing.first, closed.first), least(differing.last, closed.last + 1) + 1
    )) AS months
    FROM differing INNER JOIN closed USING (account_id)
)

SELECT
    account_id, printf('%04d-%02d', months // 12, months % 12 + 1) AS month,
    months > last AS is_ahead
FROM found
WHERE (account_id, month) NOT IN (SELECT (account_id, month) FROM open_again)
