-- The lines of the drafts as rows of `invoice_lines`.
CREATE OR REPLACE TEMP VIEW drafted_lines AS
SELECT
    drafts.id AS invoice, lines.line, terms.id AS term, terms.month, terms.advance,
    CASE WHEN terms.adjusts THEN drafts.origin END AS origin, lines.variant,
    lines.records, lines.own, lines.quantity, lines.packages, lines.tiers, lines.discount, lines.bound,
    lines.amount
FROM draft_lines AS lines
INNER JOIN drafts USING (account)
INNER JOIN laid_terms AS terms USING (term)
