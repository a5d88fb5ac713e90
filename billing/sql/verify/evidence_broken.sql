-- Documents whose rows of the evidence are not those that were written.
SELECT verified.name, verified.evidence_rows, coalesce(sums.records, 0) AS found
FROM verified LEFT JOIN evidence_sums AS sums USING (invoice)
WHERE verified.evidence_rows IS DISTINCT FROM coalesce(sums.records, 0)
    OR verified.evidence_sha256 IS DISTINCT FROM sums.sha256
ORDER BY verified.name
