-- Where the events of these records lie, which started within these bounds.
SELECT
    found.record_id, places.log, places."partition",
    min(found.first_offset) AS first_offset, max(found.last_offset) AS last_offset
FROM (
    SELECT record_id, place, first_offset, last_offset
    FROM usage_records
    WHERE started_at >= make_timestamp($since_us) AND started_at <= make_timestamp($until_us)
        AND record_id IN (SELECT unnest($records))
    UNION ALL
    SELECT record_id, place, first_offset, last_offset
    FROM more_places
    WHERE record_id IN (SELECT unnest($records))
) AS found
INNER JOIN places ON found.place = places.place
GROUP BY ALL
