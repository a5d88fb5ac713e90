-- Of these lines, or of all.
SELECT * EXCLUDE (account)
FROM evidence
WHERE $lines IS NULL OR line_id IN (SELECT unnest($lines::VARCHAR[]))
ORDER BY line_id, started_at, record_id
