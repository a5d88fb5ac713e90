-- Numbers of a series and year that are given twice, left out, or beyond the counter; and drafts that
-- were closed, which nobody asks for and the next run would make anew.
WITH used AS (
    SELECT
        regexp_extract(number, '^(.*)-[0-9]+-[0-9]+$', 1) AS series,
        TRY_CAST(split_part(number, '-', -2) AS INTEGER) AS year,
        TRY_CAST(split_part(number, '-', -1) AS BIGINT) AS place, number
    FROM invoices WHERE number IS NOT NULL
),

due AS (
    SELECT series, year, unnest(range(1, last + 1)) AS place FROM counters WHERE year > 0
)

SELECT
    NULL AS id, 'NUMBER_TWICE' AS code, number AS name,
    'stands on ' || count(*) || ' documents' AS message
FROM used GROUP BY number HAVING count(*) > 1
UNION ALL
SELECT
    NULL AS id, 'NUMBER_MISSING' AS code,
    due.series || '-' || printf('%04d', due.year) || '-' || printf('%06d', due.place) AS name,
    'was given out, and no document has it' AS message
FROM due ANTI JOIN used USING (series, year, place)
UNION ALL
SELECT
    NULL AS id, 'NUMBER_UNKNOWN' AS code, used.number AS name,
    'was never given out by the counter of its series' AS message
FROM used ANTI JOIN due USING (series, year, place)
UNION ALL
SELECT
    NULL AS id, 'HEAD_DIFFERS' AS code, coalesce(number, id) AS name,
    'it is a draft, and act ' || run || ' closed it' AS message
FROM invoices WHERE status = 'draft' AND run IS NOT NULL
ORDER BY name
