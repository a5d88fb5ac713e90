-- Documents whose rows of the evidence are not those that were written.
WITH sums AS (
    SELECT
        invoice, count(*) AS records,
        sha256(string_agg(
            evidence_text(evidence_rows), chr(10) ORDER BY line_id, started_at, record_id
        )) AS sha256
    FROM evidence_rows GROUP BY invoice
)

SELECT verified.name, verified.evidence_rows, coalesce(sums.records, 0) AS found
FROM verified LEFT JOIN sums USING (invoice)
WHERE verified.evidence_rows <> coalesce(sums.records, 0)
    OR verified.evidence_sha256 IS DISTINCT FROM sums.sha256
ORDER BY verified.name
