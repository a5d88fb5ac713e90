-- The lines whose peak is looked for, numbered within each account.
CREATE OR REPLACE TEMP TABLE peak_lines AS
WITH lines AS (
    SELECT DISTINCT
        terms.cohort, takes.term, CASE WHEN terms.by_variant THEN takes.variant END AS line_variant
    FROM takes INNER JOIN usage_terms AS terms USING (term)
    WHERE terms."grouping" = 'peak'
)

SELECT
    *,
    row_number() OVER (PARTITION BY cohort ORDER BY term, line_variant NULLS FIRST) - 1 AS slot
FROM lines
