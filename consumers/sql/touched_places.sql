-- Where the batch has events of records that lie in several partitions.
CREATE OR REPLACE TEMP TABLE touched_places AS
WITH folded AS (
    SELECT
        record_id::UUID AS record_id, place,
        min("offset") AS first_offset, max("offset") AS last_offset
    FROM incoming_usage
    GROUP BY ALL
)
SELECT
    f.record_id, f.place, m.record_id IS NOT NULL AS known,
    least(f.first_offset, m.first_offset) AS first_offset,
    greatest(f.last_offset, m.last_offset) AS last_offset
FROM folded f
LEFT JOIN more_places m ON m.record_id = f.record_id AND m.place = f.place
WHERE f.record_id IN (SELECT record_id FROM touched_records WHERE scattered)
