-- The evidence of a document, of these lines or of all.
SELECT *
FROM read_parquet($file)
WHERE invoice = $id AND ($lines IS NULL OR line_id IN (SELECT unnest($lines::VARCHAR[])))
ORDER BY line_id, started_at, record_id
