-- The closed periods to look at again, with the document, bounds, zone and books frozen for them.
-- A month between closed ones that has no document has its neighbours' bounds, where they are
-- known. A void month is open, not closed. `is_old`: nothing but late usage, of too long ago to be
-- charged unasked; `is_passed`: no closed one, but passed over by this run.
CREATE OR REPLACE TEMP TABLE revisited AS
WITH pending AS (
    SELECT
        revisits.account_id, revisits.month,
        bool_and(revisits.reason = 'usage') AS is_usage_alone
    FROM revisits ANTI JOIN open_again USING (account_id, month)
    WHERE revisits.account_id IN (SELECT unnest($accounts)) AND revisits.month <> $month
    GROUP BY revisits.account_id, revisits.month
),

documents AS (
    SELECT account_id, month, id, status, zone, start_us, end_us
    FROM run_documents WHERE account_id IN (SELECT account_id FROM pending)
),

spans AS (
    SELECT account_id, min(month) AS first, max(month) AS last
    FROM documents GROUP BY account_id
),

frozen AS (
    SELECT invoices.account_id, periods.month, max_by(periods.books, invoices.run) AS books
    FROM periods INNER JOIN invoices ON periods.invoice = invoices.id
    WHERE (invoices.account_id, periods.month) IN (SELECT (account_id, month) FROM pending)
    GROUP BY invoices.account_id, periods.month
)

SELECT
    pending.account_id, pending.month, own.id AS origin, coalesce(frozen.books, []) AS books,
    coalesce(own.zone, before.zone) AS zone,
    coalesce(own.start_us, CASE WHEN before.month = strftime(
        (pending.month || '-01')::DATE - to_months(1), '%Y-%m'
    ) THEN before.end_us END) AS start_us,
    coalesce(own.end_us, CASE WHEN after.month = strftime(
        (pending.month || '-01')::DATE + to_months(1), '%Y-%m'
    ) THEN after.start_us END) AS end_us,
    pending.is_usage_alone AND pending.month < $least AS is_old, FALSE AS is_passed
FROM pending
INNER JOIN spans
    ON pending.account_id = spans.account_id AND pending.month BETWEEN spans.first AND spans.last
LEFT JOIN frozen ON pending.account_id = frozen.account_id AND pending.month = frozen.month
LEFT JOIN documents AS own
    ON pending.account_id = own.account_id AND pending.month = own.month AND own.status <> 'void'
ASOF LEFT JOIN documents AS before
    ON pending.account_id = before.account_id AND pending.month > before.month
ASOF LEFT JOIN documents AS after
    ON pending.account_id = after.account_id AND pending.month < after.month
ORDER BY pending.account_id, pending.month
