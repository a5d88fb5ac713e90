-- The rated records of a run, in order of invoice and line. Whole numbers wider than 64 bits are
-- text. `chargeable` is over `unit`, and null where rounding is not by record.
CREATE OR REPLACE TEMP TABLE evidence AS
SELECT
    documents.position, documents.number, documents.id AS invoice, documents.line_id,
    records.record_id::VARCHAR AS record_id, records.started_at, records.account_id,
    records.meeting_id, records.participant_id, records.meter, records.variant,
    records.continues::VARCHAR AS continues, records.last_seen, records.stopped, records.quantity,
    CASE WHEN lines.scope = 'record' THEN rounded.value::VARCHAR END AS chargeable,
    line_terms.unit
FROM document_lines AS documents
INNER JOIN line_records USING (line)
INNER JOIN lines USING (line)
INNER JOIN line_terms USING (line)
INNER JOIN rounded ON line_records.line = rounded.line AND line_records.part = rounded.part
INNER JOIN month_records AS records ON line_records.record_id = records.record_id
