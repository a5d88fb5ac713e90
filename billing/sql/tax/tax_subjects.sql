-- Every line of the drafts as far as its tax depends on it. `key` and month name what an adjustment
-- is of, `origin` the document that it corrects.
CREATE OR REPLACE TEMP TABLE tax_subjects AS
SELECT
    drafts.id AS invoice, lines.line, terms.id AS term, drafts.zone, drafts.account_id, terms.key,
    terms.month, lines.variant, terms.kind = 'adjustment' AS is_adjustment,
    CASE WHEN is_adjustment THEN drafts.origin END AS origin, lines.amount
FROM draft_lines AS lines
INNER JOIN drafts USING (account)
INNER JOIN laid_terms AS terms USING (term)
UNION ALL BY NAME
SELECT
    drafts.id AS invoice, drafts.lines + lines.place AS line, lines.term, drafts.zone,
    drafts.account_id, lines.key, lines.month, lines.variant,
    lines.kind = 'adjustment' AS is_adjustment, lines.origin, lines.amount
FROM extra_lines AS lines INNER JOIN drafts USING (account_id, apart)
