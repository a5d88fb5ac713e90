-- What nothing rates of the usage that a run read, by reason.
CREATE OR REPLACE TEMP TABLE report_unbilled AS
SELECT
    reason, count(DISTINCT account_id) AS accounts, count(*) AS records,
    sum(duration_us)::HUGEINT AS duration_us
FROM month_records
WHERE reason IS NOT NULL AND ($everyone OR account_id IN (SELECT unnest($accounts)))
GROUP BY reason
