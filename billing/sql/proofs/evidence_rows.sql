-- Of these lines, or of all.
SELECT *
FROM evidence_of
WHERE $lines IS NULL OR line_id IN (SELECT unnest($lines::VARCHAR[]))
ORDER BY line_id, started_at, record_id
