-- Which rates a record's stretch, meter and variant lead to.
CREATE OR REPLACE TEMP TABLE taken AS
SELECT takes.stretch, takes.meter, takes.variant, rates.rate
FROM takes
INNER JOIN rates
    ON takes.term = rates.term
    AND (NOT rates.by_variant OR takes.variant IS NOT DISTINCT FROM rates.variant)
