-- The drafts that cannot be closed now, with the first reason that holds.
CREATE OR REPLACE TEMP TABLE blocked AS
SELECT
    drafts.account, drafts.account_id,
    CASE
        WHEN drafts.out_of_order IS NOT NULL THEN 'MONTH_ORDER'
        WHEN drafts.end_us > $now_us THEN 'PERIOD_OPEN'
        WHEN conflicting.records > 0 THEN 'USAGE_CONFLICT'
        WHEN drafts.subtotal < 0 THEN 'TOTAL_NEGATIVE'
    END AS code,
    drafts.out_of_order, conflicting.records
FROM drafts LEFT JOIN conflicting USING (account_id)
WHERE code IS NOT NULL
