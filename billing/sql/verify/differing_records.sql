-- What of these rows differs, line by line.
CREATE OR REPLACE TEMP TABLE differing_records AS
WITH lines AS (
    SELECT
        * EXCLUDE (lines, chargeable), invoice || '.' || printf('%04d', unnest(lines)) AS line_id,
        unnest(chargeable) AS chargeable
    FROM differing_rows
)

SELECT * EXCLUDE (side), sum(side) AS side FROM lines GROUP BY ALL HAVING sum(side) <> 0
