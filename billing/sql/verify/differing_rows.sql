-- Rows of the evidence that a source has not, and the other way round. Grouped first: nearly all
-- are on both sides.
CREATE OR REPLACE TEMP TABLE differing_rows AS
SELECT * EXCLUDE (side), sum(side) AS side
FROM (
    SELECT
        invoice, record_id::UUID AS record_id, started_at, account_id, meeting_id,
        participant_id, meter, variant, last_seen, stopped, quantity,
        continues::UUID AS continues, lines, chargeable, 1 AS side
    FROM evidence
    UNION ALL BY NAME
    SELECT *, -1 AS side FROM sourced_records
)
GROUP BY ALL HAVING sum(side) <> 0
