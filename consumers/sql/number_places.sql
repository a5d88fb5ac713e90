-- Partitions that have no number yet are given the next ones. Each is named once.
INSERT INTO places
SELECT
    (SELECT coalesce(max(place), 0) FROM places)
    + row_number() OVER (ORDER BY told.log, told."partition"),
    told.log, told."partition"
FROM (
    SELECT unnest($logs::VARCHAR[]) AS log, unnest($partitions::VARCHAR[]) AS "partition"
) AS told
ANTI JOIN places USING (log, "partition")
