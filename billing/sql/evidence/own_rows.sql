-- The records of each stretch with the own lines of their document that they are on, as
-- `line_records` joins them: one row of a record, however many charges take it, and if none does an
-- empty one: to leave it out here would compute the lists twice.
CREATE OR REPLACE TEMP VIEW own_rows AS
WITH found AS (
    SELECT
        on_lines.number, on_lines.invoice, on_lines.account, records.*,
        list_filter(
            CASE WHEN greatest(duration_us, coalesce(quantity, 0), 1) <= kind_rates.cap64 THEN found_on(
                kind_rates.narrow, on_lines.rates, starts_here, is_open, duration_us, quantity, begun
            ) ELSE found_on(
                kind_rates.wide, on_lines.rates, starts_here, is_open, duration_us, quantity, begun
            ) END,
            lambda one: one.line IS NOT NULL
        ) AS lines
    FROM placed_records AS records
    INNER JOIN on_lines USING (account)
    INNER JOIN kind_rates
        ON records.stretch = kind_rates.stretch AND records.meter = kind_rates.meter
        AND records.variant IS NOT DISTINCT FROM kind_rates.variant
)

SELECT
    number, invoice, account, record_id, started_at, account_id, meeting_id, participant_id, meter,
    variant, continues, last_seen, stopped, quantity,
    list_transform(lines, lambda one: one.line) AS lines,
    list_transform(lines, lambda one: one.chargeable) AS chargeable
FROM found
