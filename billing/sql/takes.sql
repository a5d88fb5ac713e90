-- Which terms rate which kind of record of each stretch.
CREATE OR REPLACE TEMP TABLE takes AS
SELECT stretches.stretch, takers.meter, takers.variant, usage_terms.term
FROM stretches
INNER JOIN takers USING (plan)
INNER JOIN usage_terms
    ON stretches.stretch = usage_terms.stretch AND takers.code = usage_terms.code
    AND takers.price IS NOT DISTINCT FROM usage_terms.price_of
