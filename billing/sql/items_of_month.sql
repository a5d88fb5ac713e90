-- The pending items that a month's documents carry: those of the month, and of earlier ones that
-- no document of their own will come for: such as are closed, or were passed over, drafts or not. A
-- void month has its own to come, and one with drafts too while no later month is closed.
SELECT pending.*, cohorts.zone, cohorts.currency
FROM pending_items AS pending
INNER JOIN members USING (account_id)
INNER JOIN draft_cohorts AS cohorts USING (cohort)
LEFT JOIN (
    SELECT
        documents.account_id, documents.month,
        bool_and(documents.status IN ('draft', 'void')) AND (
            bool_or(documents.status = 'void')
            OR documents.month > coalesce(any_value(closed.last), '')
        ) AS is_open
    FROM invoices AS documents
    SEMI JOIN items ON documents.account_id = items.account_id
    LEFT JOIN (
        SELECT account_id, max(month) AS last FROM closed_documents
        SEMI JOIN items USING (account_id) GROUP BY account_id
    ) AS closed ON documents.account_id = closed.account_id
    WHERE documents.credit IS NULL GROUP BY documents.account_id, documents.month
) AS own ON pending.account_id = own.account_id AND strftime(pending.on_day, '%Y-%m') = own.month
WHERE strftime(pending.on_day, '%Y-%m') = $month
    OR (strftime(pending.on_day, '%Y-%m') < $month AND NOT coalesce(own.is_open, FALSE))
ORDER BY pending.account_id, pending.on_day, pending.item
