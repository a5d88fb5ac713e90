-- The records that adjustments were computed from, for the evidence. Those of a commitment are all
-- that its stretch was rated by, whatever line they are on.
CREATE OR REPLACE TEMP TABLE adjusted_records AS
SELECT
    adjustments.account_id AS whose, adjustments.month, adjustments.key,
    adjustments.variant AS line_variant, records.record_id,
    records.started_at, records.account_id, records.meeting_id, records.participant_id,
    records.meter, records.variant, records.continues, records.last_seen, records.stopped,
    records.quantity, records.chargeable
FROM adjustments
INNER JOIN rates USING (rate)
INNER JOIN line_records AS records
    ON adjustments.account = records.account AND adjustments.rate = records.rate
UNION ALL BY NAME
SELECT DISTINCT
    adjustments.account_id AS whose, adjustments.month, adjustments.key,
    adjustments.variant AS line_variant, records.record_id, records.started_at,
    records.account_id, records.meeting_id, records.participant_id, records.meter,
    records.variant, records.continues, records.last_seen, records.stopped, records.quantity
FROM adjustments
INNER JOIN members USING (account_id)
INNER JOIN laid_terms AS terms
    ON members.cohort = terms.cohort AND adjustments.key = terms.key
    AND adjustments.month = terms.month AND terms.kind = 'commitment'
INNER JOIN line_records AS records
    ON members.account = records.account AND terms.stretch = records.stretch
