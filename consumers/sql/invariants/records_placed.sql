-- Every record lies somewhere in the log, in front of where its partition goes on; partitions have
-- one number each.
SELECT
    (SELECT count(*) FROM usage_records
        WHERE place IS NULL AND record_id NOT IN (SELECT record_id FROM more_places))
    + (
        SELECT count(*)
        FROM (
            SELECT place, first_offset, last_offset FROM usage_records WHERE place IS NOT NULL
            UNION ALL
            SELECT place, first_offset, last_offset FROM more_places
        ) AS found
        LEFT JOIN places USING (place)
        LEFT JOIN positions AS stand
            ON stand.topic = 'meetings.usage' AND stand.log = places.log
            AND stand."partition" = places."partition"
        WHERE NOT coalesce(first_offset <= last_offset AND last_offset < stand.next, false)
    )
    + (SELECT count(*) - count(DISTINCT place) FROM places)
    + (SELECT count(*) - count(DISTINCT (log, "partition")) FROM places)
    + (SELECT count(*) - count(DISTINCT (record_id, place)) FROM more_places)
