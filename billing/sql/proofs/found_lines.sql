-- The lines whose evidence holds a record or a meeting. One of the two is asked for.
CREATE OR REPLACE TEMP TABLE found_lines AS
SELECT invoice, line, count(*) AS records
FROM (
    SELECT invoice, unnest(lines) AS line
    FROM read_parquet($files)
    WHERE ($record IS NULL OR record_id = $record)
        AND ($meeting IS NULL OR meeting_id = $meeting)
)
GROUP BY invoice, line
