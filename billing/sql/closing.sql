-- The documents that a run closes, in order of account, each with its number but for nil ones.
CREATE OR REPLACE TEMP TABLE closing AS
SELECT
    drafts.account, drafts.id, drafts.is_nil, drafts.payment_terms_days,
    CASE WHEN NOT drafts.is_nil THEN
        $prefix || printf(
            '%06d', $last + count(*) FILTER (WHERE NOT drafts.is_nil)
                OVER (ORDER BY drafts.account_id ROWS UNBOUNDED PRECEDING)
        )
    END AS number
FROM drafts WHERE drafts.account NOT IN (SELECT account FROM blocked)
