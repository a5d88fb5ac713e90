-- The lines of the drafts as rows of `invoice_lines`.
CREATE OR REPLACE TEMP VIEW drafted_lines AS
SELECT
    drafts.id AS invoice, lines.line, terms.kind, terms.id AS term, terms.month, terms.advance,
    CASE WHEN terms.kind = 'adjustment' THEN drafts.origin END AS origin, NULL::BIGINT AS credits,
    lines.variant, lines.records, lines.own, lines.quantity, lines.packages, lines.tiers,
    lines.discount, lines.bound, lines.owed, lines.charged, lines.amount
FROM draft_lines AS lines
INNER JOIN drafts USING (account)
INNER JOIN laid_terms AS terms USING (term)
UNION ALL BY NAME
SELECT
    drafts.id AS invoice, drafts.lines + lines.place AS line, lines.kind, lines.term, lines.month,
    lines.advance, lines.origin, lines.variant, lines.records, lines.own, lines.quantity,
    lines.packages, lines.tiers, lines.discount, lines.bound, lines.owed, lines.charged,
    lines.amount
FROM extra_lines AS lines INNER JOIN drafts USING (account_id, apart)
