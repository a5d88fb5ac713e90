-- The records that the adjustments on these documents were computed from.
CREATE OR REPLACE TEMP TABLE adjusted_rows AS
WITH rows AS (
    SELECT
        closing.id AS invoice, records.record_id, records.started_at, records.meeting_id,
        records.participant_id, records.meter, records.variant, records.continues,
        records.last_seen, records.stopped, records.quantity,
        list((drafts.lines + extra.place)::INTEGER ORDER BY extra.place) AS lines,
        list(records.chargeable ORDER BY extra.place) AS chargeable
    FROM closing
    INNER JOIN drafts USING (account)
    INNER JOIN extra_lines AS extra
        ON drafts.account_id = extra.account_id AND drafts.apart = extra.apart
    INNER JOIN adjusted_records AS records
        ON extra.account_id = records.whose AND extra.month = records.month
        AND extra.key = records.key AND extra.variant IS NOT DISTINCT FROM records.line_variant
    GROUP BY ALL
)

SELECT *, row_number() OVER (ORDER BY invoice, lines[1])::INTEGER AS place FROM rows
