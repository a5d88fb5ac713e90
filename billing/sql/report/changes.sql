-- What each account came to, in a month and in the one before it.
CREATE OR REPLACE TEMP TABLE report_changes AS
SELECT
    account_id, currency,
    sum(subtotal) FILTER (month = $before)::HUGEINT AS before,
    sum(subtotal) FILTER (month = $month)::HUGEINT AS now,
    (coalesce(now, 0::HUGEINT) - coalesce(before, 0::HUGEINT))::HUGEINT AS change
FROM report_totals GROUP BY account_id, currency
