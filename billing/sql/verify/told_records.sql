-- What differs, record by record, with what the source knows of it: whether it is withdrawn or in
-- conflict there; and whether the store was told of it, or of another record of its id, after the
-- snapshot. `settled_by` is the first later document that was computed from its month when the store
-- had been told all that; none where the month is still to be looked at.
WITH moved AS (
    SELECT account_id, day, meter, variant, last_batch
    FROM moved_since WHERE last_batch > $last_batch
),

moved_ids AS (
    SELECT record_id, max(last_batch) AS last_batch
    FROM shared_identities WHERE last_batch > $last_batch GROUP BY record_id
),

withdrawn AS (
    SELECT DISTINCT record_id, started_at FROM near_all WHERE cancelled
),

later AS (
    SELECT
        verified.invoice, periods.month, documents.run,
        (runs.snapshot ->> 'last_batch')::BIGINT AS last_batch,
        {
            'name': coalesce(documents.number, documents.id),
            'is_anew': documents.month = periods.month
        } AS document
    FROM verified
    INNER JOIN invoices AS documents
        ON verified.account_id = documents.account_id AND verified.run < documents.run
    INNER JOIN periods ON documents.id = periods.invoice
    INNER JOIN runs ON documents.run = runs.run
    ANTI JOIN revisits
        ON documents.account_id = revisits.account_id AND periods.month = revisits.month
        AND revisits.reason = 'usage' AND documents.month <> periods.month
    WHERE documents.credit IS NULL AND documents.status IN ('final', 'nil')
),

told AS (
    SELECT
        records.*, verified.name, withdrawn.record_id IS NOT NULL AS is_withdrawn,
        records.record_id::UUID IN (SELECT record_id FROM conflicts) AS is_conflict,
        coalesce(lines.month, verified.month) AS month,
        greatest(moved.last_batch, moved_ids.last_batch) AS told_batch
    FROM differing_records AS records
    INNER JOIN verified USING (invoice)
    LEFT JOIN frozen_lines AS lines
        ON records.invoice = lines.invoice
        AND records.line_id = lines.invoice || '.' || printf('%04d', lines.line)
    LEFT JOIN moved
        ON records.account_id = moved.account_id AND records.started_at::DATE = moved.day
        AND records.meter = moved.meter AND records.variant IS NOT DISTINCT FROM moved.variant
    LEFT JOIN moved_ids ON records.record_id::UUID = moved_ids.record_id
    LEFT JOIN withdrawn
        ON records.record_id::UUID = withdrawn.record_id
        AND records.started_at = withdrawn.started_at
)

SELECT
    told.*, told.told_batch IS NOT NULL AS is_late,
    (
        SELECT min_by(later.document, later.run) FROM later
        WHERE told.invoice = later.invoice AND told.month = later.month
            AND told.told_batch <= later.last_batch
    ) AS settled_by
FROM told
ORDER BY
    told.invoice, told.started_at, told.record_id, told.account_id, told.meeting_id,
    told.participant_id, told.meter, told.variant, told.side DESC, told.line_id
