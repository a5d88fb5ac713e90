-- The records of the adjustments' lines by one source, as the evidence has them; within the layout
-- of the periods that are adjusted.
CREATE OR REPLACE TEMP TABLE adjusted_rows AS
WITH lines AS MATERIALIZED (
    FROM laid_lines WHERE kind = 'adjustment' AND NOT is_own
),

rated AS (
    SELECT lines.invoice, lines.line, records.*
    FROM lines
    INNER JOIN rates
        ON lines.term = rates.term AND lines.variant IS NOT DISTINCT FROM rates.variant
    INNER JOIN line_records AS records
        ON lines.account = records.account AND rates.rate = records.rate
    UNION ALL BY NAME
    SELECT DISTINCT
        lines.invoice, lines.line, records.record_id, records.started_at, records.meeting_id,
        records.participant_id, records.meter, records.variant, records.continues,
        records.last_seen, records.stopped, records.quantity
    FROM lines
    INNER JOIN line_records AS records
        ON lines.account = records.account AND lines.stretch = records.stretch
    WHERE lines.term_kind = 'commitment'
),

rows AS (
    SELECT
        invoice, record_id, started_at, meeting_id, participant_id, meter, variant, continues,
        last_seen, stopped, quantity, list(line::INTEGER ORDER BY line) AS lines,
        list(chargeable ORDER BY line) AS chargeable
    FROM rated
    GROUP BY ALL
)

SELECT *, row_number() OVER ()::INTEGER AS place FROM rows
