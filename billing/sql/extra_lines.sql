-- Lines beside those of the month itself: adjustments of closed periods, and what was charged for
-- this month, other than in advance, while it was void: it is set off. In the order of the document.
CREATE OR REPLACE TEMP TABLE extra_lines AS
WITH set_off AS (
    SELECT
        lines.account_id, lines.month, terms.key, lines.variant,
        max_by(lines.term, lines.run) AS term, max_by(lines.invoice, lines.run) AS origin,
        FALSE AS advance, NULL::HUGEINT AS owed, sum(lines.amount)::HUGEINT AS charged
    FROM charging($act) AS lines
    INNER JOIN terms USING (term)
    WHERE lines.month = $month AND NOT lines.advance AND terms.key IS NOT NULL
    GROUP BY lines.account_id, lines.month, terms.key, lines.variant
    HAVING sum(lines.amount) <> 0
),

every AS (
    SELECT
        account_id, month, key, variant, line AS place, term, content, advance, origin, sums.*,
        owed, charged
    FROM adjustments
    UNION ALL BY NAME
    SELECT * FROM set_off
)

SELECT
    account_id, 'adjustment' AS kind, month, key, variant, term, content, advance, origin,
    records, own, quantity, packages, tiers, discount, bound, owed, charged,
    coalesce(owed, 0::HUGEINT) - charged AS amount,
    row_number() OVER (PARTITION BY account_id ORDER BY month, place NULLS LAST, key, variant)
        AS place,
    FALSE AS apart
FROM every
