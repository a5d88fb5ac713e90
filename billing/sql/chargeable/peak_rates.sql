-- The rates by whose peak is charged, numbered within each account.
CREATE OR REPLACE TEMP TABLE peak_rates AS
SELECT
    cohort, rate, grains, row_number() OVER (PARTITION BY cohort ORDER BY rate) - 1 AS slot
FROM rates WHERE "grouping" = 'peak'
