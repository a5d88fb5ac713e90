CREATE OR REPLACE TEMP TABLE evidence_sums AS
SELECT
    invoice, count(*) AS records,
    sha256(string_agg(
        evidence_text(evidence), chr(10) ORDER BY line_id, started_at, record_id
    )) AS sha256
FROM evidence GROUP BY invoice
