-- All that keeps drafts from being closed now, in the order in which it is told; `why` is what there is
-- to say of it besides.
CREATE OR REPLACE TEMP TABLE blocks AS
WITH gapped AS (
    SELECT account_id FROM gated_periods
    SEMI JOIN (FROM gaps_found WHERE account_id IS NULL) AS gaps USING (start_us, end_us)
    UNION
    SELECT account_id FROM gated_periods SEMI JOIN gaps_found USING (account_id, start_us, end_us)
),

reasons AS (
    SELECT account_id, 1 AS place, 'SELLER_INCOMPLETE' AS code, $lacking::VARCHAR AS why
    FROM drafts WHERE $lacking::VARCHAR IS NOT NULL
    UNION ALL
    SELECT account_id, 2, 'MONTH_ORDER', out_of_order FROM drafts WHERE out_of_order IS NOT NULL
    UNION ALL
    SELECT account_id, 3, 'PERIOD_OPEN', NULL FROM drafts WHERE end_us > $now_us
    UNION ALL
    SELECT account_id, 4, 'USAGE_CONFLICT', records::VARCHAR FROM conflicting WHERE records > 0
    UNION ALL
    SELECT account_id, 5, 'HELD', holds.reason FROM drafts INNER JOIN holds USING (account_id, month)
    UNION ALL
    SELECT account_id, 6, 'ADDRESS_MISSING', missing FROM without_address
    UNION ALL
    SELECT account_id, 7, fault, why FROM untaxed
    UNION ALL
    SELECT account_id, 8, 'INCOMPLETE', NULL FROM gapped WHERE NOT $accepted
    UNION ALL
    SELECT account_id, 9, 'DRAFT_CHANGED', NULL FROM changed WHERE $unchanged
)

SELECT DISTINCT drafts.account, reasons.*
FROM drafts INNER JOIN reasons USING (account_id)
