-- The lines whose evidence in a file holds a record or a meeting. One of the two is asked for.
INSERT INTO found_lines
SELECT invoice, line, count(*) AS records
FROM (
    SELECT invoice, unnest(lines) AS line
    FROM stored_evidence($path)
    WHERE ($record IS NULL OR record_id = $record)
        AND ($meeting IS NULL OR meeting_id = $meeting)
)
GROUP BY invoice, line
