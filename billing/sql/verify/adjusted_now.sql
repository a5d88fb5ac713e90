-- The records of the adjustments' lines by one source, as the evidence has them; within the layout
-- of the periods that are adjusted.
INSERT INTO sourced_records BY NAME
WITH lines AS MATERIALIZED (
    SELECT
        frozen.invoice, frozen.line, frozen.variant, members.account, terms.term, terms.stretch,
        terms.kind
    FROM frozen_lines AS frozen
    INNER JOIN verified USING (invoice)
    INNER JOIN members ON verified.account_id = members.account_id
    INNER JOIN laid_terms AS terms
        ON members.cohort = terms.cohort AND frozen.month = terms.month
        AND frozen.key = terms.key
    WHERE frozen.kind = 'adjustment' AND frozen.month <> verified.month
),

rated AS (
    SELECT
        lines.invoice, lines.line, records.*,
        coalesce(records.rounded64::HUGEINT, records.rounded128)::VARCHAR AS part
    FROM lines
    INNER JOIN rates
        ON lines.term = rates.term AND lines.variant IS NOT DISTINCT FROM rates.variant
    INNER JOIN line_records AS records
        ON lines.account = records.account AND rates.rate = records.rate
    UNION ALL BY NAME
    SELECT DISTINCT
        lines.invoice, lines.line, records.record_id, records.started_at, records.account_id,
        records.meeting_id, records.participant_id, records.meter, records.variant,
        records.continues, records.last_seen, records.stopped, records.quantity
    FROM lines
    INNER JOIN line_records AS records
        ON lines.account = records.account AND lines.stretch = records.stretch
    WHERE lines.kind = 'commitment'
)

SELECT
    invoice, record_id, started_at, account_id, meeting_id, participant_id, meter, variant,
    continues, last_seen, stopped, quantity, list(line::INTEGER ORDER BY line) AS lines,
    list(part ORDER BY line) AS chargeable
FROM rated
GROUP BY ALL
