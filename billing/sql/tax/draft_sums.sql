-- What the drafts on which all is decided come to in tax, one without lines to nothing.
CREATE OR REPLACE TEMP TABLE draft_sums AS
SELECT drafts.id AS invoice, coalesce(sum(taxes.tax), 0)::HUGEINT AS tax
FROM drafts LEFT JOIN drafted_taxes AS taxes ON drafts.id = taxes.invoice
WHERE drafts.id NOT IN (SELECT invoice FROM decided_taxes WHERE tax IS NULL)
GROUP BY drafts.id
