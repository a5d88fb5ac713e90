-- What closed periods cost as known now, by original line. What several lines are one line of, as
-- the seats of a fee in advance, has no arithmetic of its own.
CREATE OR REPLACE TEMP TABLE owed_lines AS
SELECT
    members.account_id, laid_terms.month, laid_terms.key, lines.variant,
    min(lines.line) AS line, min_by(laid_terms.id, lines.line) AS term,
    min_by(laid_terms.content, lines.line) AS content, bool_or(laid_terms.advance) AS advance,
    min(lines.account) AS account, min(lines.rate) AS rate,
    {
        'records': CASE WHEN count(*) = 1 THEN min(lines.records) END,
        'own': CASE WHEN count(*) = 1 THEN min(lines.own) END,
        'quantity': CASE WHEN count(*) = 1 THEN min(lines.quantity) END,
        'packages': CASE WHEN count(*) = 1 THEN min(lines.packages) END,
        'tiers': CASE WHEN count(*) = 1 THEN any_value(lines.tiers) END,
        'discount': CASE WHEN count(*) = 1 THEN min(lines.discount) END,
        'bound': CASE WHEN count(*) = 1 THEN min(lines.bound) END
    } AS sums,
    sum(lines.amount)::HUGEINT AS owed
FROM draft_lines AS lines
INNER JOIN members USING (account)
INNER JOIN laid_terms USING (term)
GROUP BY members.account_id, laid_terms.month, laid_terms.key, lines.variant
