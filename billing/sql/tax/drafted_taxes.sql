CREATE OR REPLACE TEMP TABLE drafted_taxes AS FROM summed_taxes
