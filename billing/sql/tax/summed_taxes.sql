-- Tax on the sum of all lines of one category and rate (EN 16931, BR-CO-17), by what is decided on
-- each: `taxed_sums` has a document, an amount and what was decided.
CREATE OR REPLACE TEMP VIEW summed_taxes AS
WITH told AS (
    SELECT
        invoice, amount, tax ->> 'category' AS category, (tax ->> 'ppm')::BIGINT AS ppm,
        tax ->> 'country' AS country, tax ->> 'reason' AS reason
    FROM taxed_sums
)

SELECT
    invoice, category, ppm,
    CASE WHEN count(DISTINCT country) = 1 THEN min(country) END AS country,
    string_agg(DISTINCT reason, '; ' ORDER BY reason) AS reason,
    sum(amount)::HUGEINT AS taxable, tax_of(sum(amount)::HUGEINT, ppm) AS tax
FROM told GROUP BY invoice, category, ppm
