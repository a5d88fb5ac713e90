-- The records that documents are made of, in their order and no wider than they must be to be sorted:
-- each with its kind, or with its place among `adjusted_rows`. Their row ids rise with that order.
CREATE OR REPLACE TEMP TABLE told_records AS
SELECT
    documents.account, kinds.kind, NULL::INTEGER AS adjusted, records.record_id, records.started_at,
    records.meeting_id, records.participant_id, records.continues, records.last_seen,
    records.stopped, records.quantity, records.duration_us, records.begun,
    greatest(records.duration_us, coalesce(records.quantity, 0), 1) > kinds.cap64 AS is_wide
FROM placed_records AS records
INNER JOIN told_documents AS documents USING (account)
INNER JOIN kinds
    ON records.stretch = kinds.stretch AND records.meter = kinds.meter
    AND records.variant IS NOT DISTINCT FROM kinds.variant
    AND records.starts_here = kinds.starts_here AND records.is_open = kinds.is_open
UNION ALL BY NAME
SELECT
    documents.account, rows.place AS adjusted, rows.record_id, rows.started_at,
    rows.meeting_id, rows.participant_id, rows.continues, rows.last_seen, rows.stopped,
    rows.quantity
FROM adjusted_rows AS rows INNER JOIN told_documents AS documents USING (invoice)
ORDER BY account, started_at, record_id, adjusted NULLS FIRST, kind
