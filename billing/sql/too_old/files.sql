-- The files of evidence that those months were closed and adjusted with.
SELECT DISTINCT evidence, evidence_sha256 FROM runs
WHERE evidence IN (SELECT unnest(files) FROM closed_long_ago)
ORDER BY ALL
