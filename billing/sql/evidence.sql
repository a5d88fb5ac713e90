-- The rated records of a run, in order of invoice and line, with those that adjustments were
-- computed from. Whole numbers wider than 64 bits are text. `chargeable` is over `unit`, and null
-- where rounding is not by record.
CREATE OR REPLACE TEMP TABLE evidence AS
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
    closing.account, closing.number, closing.id AS invoice,
    closing.id || '.' || printf('%04d', rated.line) AS line_id,
    rated.record_id::VARCHAR AS record_id, rated.started_at, rated.account_id,
    rated.meeting_id, rated.participant_id, rated.meter, rated.variant,
    rated.continues::VARCHAR AS continues, rated.last_seen, rated.stopped, rated.quantity,
    coalesce(rated.rounded64::HUGEINT, rated.rounded128)::VARCHAR AS chargeable,
    rated.rate_unit::VARCHAR AS unit
FROM closing INNER JOIN rated USING (account)
