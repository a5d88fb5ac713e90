-- The lines whose evidence holds a record or a meeting. One of the two is asked for. What a commitment
-- was compared with has no unit: it was charged by its own lines.
CREATE OR REPLACE TEMP TABLE found_lines AS
SELECT invoice, line_id, count(*) AS records
FROM read_parquet($files)
WHERE unit IS NOT NULL
    AND ($record IS NULL OR record_id = $record)
    AND ($meeting IS NULL OR meeting_id = $meeting)
GROUP BY invoice, line_id
