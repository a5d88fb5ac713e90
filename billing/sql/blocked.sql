-- The drafts that cannot be closed now, with the first reason that holds.
CREATE OR REPLACE TEMP TABLE blocked AS
SELECT
    drafts.account, drafts.account_id,
    CASE
        WHEN drafts.out_of_order IS NOT NULL THEN 'MONTH_ORDER'
        WHEN drafts.end_us > $now_us THEN 'PERIOD_OPEN'
        WHEN conflicting.records > 0 THEN 'USAGE_CONFLICT'
        WHEN holds.reason IS NOT NULL THEN 'HELD'
        WHEN without_address.missing IS NOT NULL THEN 'ADDRESS_MISSING'
        WHEN untaxed.fault IS NOT NULL THEN untaxed.fault
        WHEN NOT $accepted AND EXISTS (
            SELECT 1 FROM gated_periods AS gated INNER JOIN gaps_found AS gaps
                ON gaps.start_us = gated.start_us AND gaps.end_us = gated.end_us
                AND (gaps.account_id IS NULL OR gaps.account_id = gated.account_id)
            WHERE gated.account_id = drafts.account_id
        ) THEN 'INCOMPLETE'
        WHEN $unchanged AND drafts.account_id IN (SELECT account_id FROM changed)
            THEN 'DRAFT_CHANGED'
    END AS code,
    drafts.out_of_order, conflicting.records, holds.reason, without_address.missing, untaxed.why
FROM drafts
LEFT JOIN conflicting USING (account_id)
LEFT JOIN without_address USING (account_id)
LEFT JOIN untaxed USING (account_id)
LEFT JOIN holds ON drafts.account_id = holds.account_id AND drafts.month = holds.month
WHERE code IS NOT NULL
