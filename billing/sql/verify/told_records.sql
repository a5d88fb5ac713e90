-- What differs, record by record, with what the source knows of it: whether it is withdrawn or in
-- conflict there; and whether the store was told of it, or of another record of its id, after the
-- snapshot.
WITH moved AS (
    SELECT account_id, day, meter, variant FROM moved_since WHERE last_batch > $last_batch
),

moved_ids AS (
    SELECT record_id FROM shared_identities WHERE last_batch > $last_batch
),

withdrawn AS (
    SELECT DISTINCT record_id, started_at FROM near_all WHERE cancelled
)

SELECT
    records.*, verified.name, withdrawn.record_id IS NOT NULL AS is_withdrawn,
    records.record_id::UUID IN (SELECT record_id FROM conflicts) AS is_conflict,
    moved.day IS NOT NULL OR records.record_id::UUID IN (SELECT record_id FROM moved_ids)
        AS is_late
FROM differing_records AS records
INNER JOIN verified USING (invoice)
LEFT JOIN moved
    ON records.account_id = moved.account_id AND records.started_at::DATE = moved.day
    AND records.meter = moved.meter AND records.variant IS NOT DISTINCT FROM moved.variant
LEFT JOIN withdrawn
    ON records.record_id::UUID = withdrawn.record_id AND records.started_at = withdrawn.started_at
ORDER BY
    records.invoice, records.started_at, records.record_id, records.account_id,
    records.meeting_id, records.participant_id, records.meter, records.variant,
    records.side DESC, records.line_id
