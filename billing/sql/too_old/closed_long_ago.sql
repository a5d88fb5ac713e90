-- The accounts whose month is closed and too long ago for their next one to charge unasked, with the
-- last batch of usage that the month was computed from.
CREATE OR REPLACE TEMP TABLE closed_long_ago AS
WITH closed AS (
    SELECT account_id, max(month) AS last, bool_or(month = $month) AS is_closed
    FROM closed_documents GROUP BY account_id
)

SELECT
    closed.account_id, max((runs.snapshot ->> 'last_batch')::BIGINT) AS batch,
    list(DISTINCT runs.evidence) AS files
FROM closed
INNER JOIN invoices ON closed.account_id = invoices.account_id AND invoices.status <> 'void'
INNER JOIN periods ON invoices.id = periods.invoice AND periods.month = $month
INNER JOIN runs ON invoices.run = runs.run
WHERE closed.is_closed
    AND $month < strftime((closed.last || '-01')::DATE + to_months(1 - $months::INTEGER), '%Y-%m')
GROUP BY closed.account_id
