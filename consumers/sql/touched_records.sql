-- Every identity of the batch with what the store knows of it and what it becomes. All merges are
-- joins of a semilattice: duplicates, order and a reused number cannot change the result. Where all
-- of its events lie in one partition, its place is kept with it; else `scattered`, see more_places.
CREATE OR REPLACE TEMP TABLE touched_records AS
WITH folded AS (
    SELECT
        record_id::UUID AS record_id, make_timestamp(started_at) AS started_at,
        account_id, meeting_id, participant_id, meter, variant,
        make_timestamp(max(observed_at)) AS last_seen,
        bool_or(phase = 'STOP') AS stopped, bool_or(phase = 'CANCEL') AS cancelled,
        max(quantity) AS quantity, max(continues::UUID) AS continues,
        min(place) AS place, max(place) AS last_place,
        min("offset") AS first_offset, max("offset") AS last_offset
    FROM incoming_usage
    GROUP BY ALL
)
SELECT
    f.record_id, f.started_at, f.account_id, f.meeting_id, f.participant_id, f.meter, f.variant,
    r.record_id IS NOT NULL AS known,
    r.last_seen AS old_last_seen, r.stopped AS old_stopped, r.cancelled AS old_cancelled,
    r.quantity AS old_quantity, r.continues AS old_continues,
    greatest(f.last_seen, r.last_seen) AS last_seen,
    f.stopped OR coalesce(r.stopped, false) AS stopped,
    f.cancelled OR coalesce(r.cancelled, false) AS cancelled,
    greatest(f.quantity, r.quantity) AS quantity,
    greatest(f.continues, r.continues) AS continues,
    f.place <> f.last_place OR coalesce(r.place <> f.place, false) AS scattered,
    CASE WHEN scattered THEN r.place ELSE f.place END AS place,
    CASE WHEN scattered THEN r.first_offset ELSE least(f.first_offset, r.first_offset) END
        AS first_offset,
    CASE WHEN scattered THEN r.last_offset ELSE greatest(f.last_offset, r.last_offset) END
        AS last_offset
FROM folded f
LEFT JOIN usage_records r
    ON r.record_id = f.record_id AND r.started_at = f.started_at
    AND r.account_id = f.account_id AND r.meeting_id = f.meeting_id
    AND r.participant_id IS NOT DISTINCT FROM f.participant_id
    AND r.meter = f.meter AND r.variant IS NOT DISTINCT FROM f.variant
