CREATE OR REPLACE TEMP TABLE evidence_sums AS
SELECT
    invoice, count(*) AS records,
    sha256(string_agg(
        records::VARCHAR, chr(10) ORDER BY line_id, started_at, record_id
    )) AS sha256
FROM (SELECT * EXCLUDE (account) FROM evidence) AS records GROUP BY invoice
