-- The evidence of some accounts in order, with records that are on no line. Ids are text, and so are
-- whole numbers wider than 64 bits.
CREATE OR REPLACE TEMP TABLE evidence AS
SELECT
    account, number, invoice, record_id::VARCHAR AS record_id, started_at, account_id, meeting_id,
    participant_id, meter, variant, continues::VARCHAR AS continues, last_seen, stopped, quantity,
    lines, chargeable
FROM (FROM own_rows UNION ALL BY NAME FROM adjusted_rows) AS told
WHERE account BETWEEN $first AND $last
ORDER BY account, started_at, told.record_id, lines[1]
