-- Which record each line rates: the one join of usage and charges. A value is in the charge's
-- smallest whole: microseconds, the meter's own units, or one.
CREATE OR REPLACE TEMP TABLE line_records AS
SELECT
    lines.line, lines.measure, records.record_id, records.start_us, records.account_id,
    records.meeting_id, records.participant_id, records.meter, records.variant,
    CASE
        WHEN lines.measure = 'unique'
            THEN coalesce('p' || records.participant_id, 'r' || records.record_id)
        WHEN lines.scope = 'record'
            THEN 'r' || records.record_id
        WHEN lines.scope = 'participant' THEN concat_ws(
            chr(31), records.meeting_id,
            coalesce('p' || records.participant_id, 'r' || records.record_id)
        )
        ELSE ''
    END AS part,
    (CASE lines.measure
        WHEN 'duration' THEN records.duration_us
        WHEN 'count' THEN 1
        WHEN 'unique' THEN 1
        ELSE coalesce(records.quantity, 0)
    END)::HUGEINT AS value
FROM lines
INNER JOIN month_records AS records
    ON lines.stretch = records.stretch AND lines.meter = records.meter
    AND (lines.variant IS NULL OR lines.variant = records.variant)
WHERE NOT records.conflict
