-- What each line puts together by its scope, rounded, in grains.
CREATE OR REPLACE TEMP TABLE rounded AS
WITH terms AS (
    SELECT
        line, "mode", grains::HUGEINT AS grains, quantum::HUGEINT AS quantum,
        minimum::HUGEINT AS minimum
    FROM line_terms
),

parts AS (
    SELECT
        line, part, measure,
        CASE WHEN measure IN ('maximum', 'unique') THEN max(value) ELSE sum(value) END AS value
    FROM line_records GROUP BY line, measure, part
)

SELECT
    line, part, measure,
    CASE
        WHEN value = 0 THEN 0::HUGEINT
        ELSE greatest(minimum, CASE "mode"
            WHEN 'none' THEN value * grains
            WHEN 'down' THEN (value * grains) // quantum * quantum
            WHEN 'up' THEN (
                (value * grains) // quantum
                + CASE WHEN (value * grains) % quantum > 0 THEN 1 ELSE 0 END
            ) * quantum
            ELSE (
                (value * grains) // quantum
                + CASE WHEN 2 * ((value * grains) % quantum) >= quantum THEN 1 ELSE 0 END
            ) * quantum
        END)
    END AS value
FROM parts INNER JOIN terms USING (line)
