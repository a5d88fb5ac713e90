-- The pending items that a month's documents carry: those of the month, and of earlier ones that
-- no document of their own will come for: such as are closed, or were passed over. A void month and
-- one that has drafts have theirs to come.
SELECT pending.*, cohorts.zone, cohorts.currency
FROM pending_items AS pending
INNER JOIN members USING (account_id)
INNER JOIN draft_cohorts AS cohorts USING (cohort)
LEFT JOIN (
    SELECT account_id, month, bool_and(status IN ('draft', 'void')) AS is_open
    FROM invoices WHERE credit IS NULL GROUP BY account_id, month
) AS own ON pending.account_id = own.account_id AND strftime(pending.on_day, '%Y-%m') = own.month
WHERE strftime(pending.on_day, '%Y-%m') = $month
    OR (strftime(pending.on_day, '%Y-%m') < $month AND NOT coalesce(own.is_open, FALSE))
ORDER BY pending.account_id, pending.on_day, pending.item
