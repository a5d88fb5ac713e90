-- The lines of the drafts, with the terms that they stand under.
INSERT INTO invoice_lines BY NAME
SELECT
    drafts.id AS invoice,
    lines.line, terms.id AS term, terms.month, terms.advance, lines.line_variant AS variant,
    lines.records, lines.own, lines.quantity, lines.packages, lines.tiers, lines.discount,
    lines.bound, lines.amount,
    CASE WHEN terms.adjusts THEN $before || '.' || drafts.account_id END AS origin
FROM draft_lines AS lines
INNER JOIN drafts USING (account)
INNER JOIN laid_terms AS terms USING (term)
