-- Some of the records as the evidence has them, with what they are hashed as. Ids are text there.
CREATE OR REPLACE TEMP MACRO told_evidence(first, last, first_account, last_account) AS TABLE
SELECT
    one.* REPLACE (one.record_id::VARCHAR AS record_id, one.continues::VARCHAR AS continues),
    evidence_text(one) || chr(10) AS text
FROM told_rows(first, last, first_account, last_account) AS one
