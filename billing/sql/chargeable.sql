-- The chargeable quantity of each line in grains; zero where nothing was used.
CREATE OR REPLACE TEMP TABLE chargeable AS
SELECT
    line_terms.line,
    coalesce(
        CASE WHEN any_value(measure) = 'maximum' THEN max(value) ELSE sum(value) END, 0
    )::HUGEINT AS quantity
FROM line_terms LEFT JOIN rounded USING (line) GROUP BY line_terms.line
