-- The rated records of a run, in order of invoice and line, with those that adjustments were
-- computed from. `chargeable` is over `rate_unit`, and null where rounding is not by record.
CREATE OR REPLACE TEMP TABLE rated_records AS
WITH rated AS (
    SELECT
        draft_lines.account, draft_lines.line, rates.unit AS rate_unit,
        records.* EXCLUDE (account, rate)
    FROM closing
    INNER JOIN draft_lines USING (account)
    INNER JOIN rates USING (rate)
    INNER JOIN line_records AS records
        ON closing.account = records.account AND draft_lines.rate = records.rate
    UNION ALL BY NAME
    SELECT
        drafts.account, drafts.lines + extra.place AS line,
        records.* EXCLUDE (whose, month, key, line_variant)
    FROM closing
    INNER JOIN drafts USING (account)
    INNER JOIN extra_lines AS extra ON drafts.account_id = extra.account_id
    INNER JOIN adjusted_records AS records
        ON extra.account_id = records.whose AND extra.month = records.month
        AND extra.key = records.key AND extra.variant IS NOT DISTINCT FROM records.line_variant
)

SELECT
    closing.account, rated.line, closing.number, closing.id AS invoice, rated.record_id,
    rated.started_at, rated.account_id, rated.meeting_id, rated.participant_id, rated.meter,
    rated.variant, rated.continues, rated.last_seen, rated.stopped, rated.quantity,
    coalesce(rated.rounded64::HUGEINT, rated.rounded128) AS chargeable, rated.rate_unit
FROM closing INNER JOIN rated USING (account)
ORDER BY closing.account, rated.line, rated.started_at, rated.record_id
