-- As `evidence_sums` made it when the document was frozen.
SELECT
    count(*) AS records,
    sha256(string_agg(
        records::VARCHAR, chr(10) ORDER BY line_id, started_at, record_id
    )) AS sha256
FROM evidence_of AS records
