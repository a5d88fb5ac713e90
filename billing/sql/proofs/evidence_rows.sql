-- The records of each of these lines, or of all.
SELECT *
FROM (
    SELECT
        * EXCLUDE (account, lines, chargeable), unnest(lines) AS line,
        unnest(chargeable) AS chargeable
    FROM evidence
)
WHERE $lines IS NULL OR line IN (SELECT unnest($lines::INTEGER[]))
ORDER BY line, started_at, record_id
