-- What a line is rated by: its terms and, where they are by variant, one of the variants used.
-- Numbered in the order of the document.
CREATE OR REPLACE TEMP TABLE rates AS
WITH known AS (
    SELECT term, NULL::VARCHAR AS variant FROM usage_terms WHERE NOT by_variant
    UNION
    SELECT takes.term, takes.variant
    FROM takes INNER JOIN usage_terms USING (term) WHERE usage_terms.by_variant
)

SELECT
    (row_number() OVER (ORDER BY usage_terms.place, known.variant NULLS FIRST))::INTEGER AS rate,
    usage_terms.*, known.variant
FROM known INNER JOIN usage_terms USING (term)
