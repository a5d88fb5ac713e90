-- The lines of the drafts on which all is decided.
CREATE OR REPLACE TEMP TABLE taxed_sums AS
SELECT invoice, amount, tax FROM decided_taxes
WHERE invoice NOT IN (SELECT invoice FROM decided_taxes WHERE tax IS NULL)
