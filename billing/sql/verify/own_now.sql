-- The records of the own lines by one source; within the month's layout. Which lines there are is
-- found first: the records pass through one join.
INSERT INTO sourced_records BY NAME
WITH lines AS MATERIALIZED (
    SELECT frozen.invoice, frozen.line, members.account, rates.rate, rates.unit::VARCHAR AS unit
    FROM frozen_lines AS frozen
    INNER JOIN verified USING (invoice)
    INNER JOIN members ON verified.account_id = members.account_id
    INNER JOIN laid_terms AS terms
        ON members.cohort = terms.cohort AND frozen.month = terms.month
        AND frozen.key = terms.key
    INNER JOIN rates
        ON terms.term = rates.term AND frozen.variant IS NOT DISTINCT FROM rates.variant
    WHERE frozen.kind = 'usage' AND frozen.month = verified.month
)

SELECT
    lines.invoice, lines.line, records.record_id, records.started_at, records.account_id,
    records.meeting_id, records.participant_id, records.meter, records.variant,
    records.continues, records.last_seen, records.stopped, records.quantity,
    coalesce(records.rounded64::HUGEINT, records.rounded128)::VARCHAR AS chargeable, lines.unit
FROM lines
INNER JOIN line_records AS records
    ON lines.account = records.account AND lines.rate = records.rate
