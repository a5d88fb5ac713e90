-- The records that adjustments were computed from, for the evidence.
CREATE OR REPLACE TEMP TABLE adjusted_records AS
SELECT
    adjustments.account_id AS whose, adjustments.month, adjustments.key,
    adjustments.variant AS line_variant, rates.unit AS rate_unit, records.* EXCLUDE (account, rate)
FROM adjustments
INNER JOIN rates USING (rate)
INNER JOIN line_records AS records
    ON adjustments.account = records.account AND adjustments.rate = records.rate
