-- What stands apart, in the order of the document: adjustments of the month itself, of what was charged
-- in advance, come among the extra lines too.
CREATE OR REPLACE TEMP TABLE extra_lines AS
WITH before AS (
    SELECT account_id, max_by(invoice, run) AS origin
    FROM charging($act) WHERE month = $month AND advance GROUP BY account_id
),

every AS (
    SELECT extra.* REPLACE (parted.place IS NOT NULL AS apart), FALSE AS is_own
    FROM extra_lines AS extra
    LEFT JOIN (FROM apart_lines WHERE NOT is_own) AS parted
        ON extra.account_id = parted.account_id AND extra.place = parted.place
    UNION ALL BY NAME
    SELECT
        members.account_id, terms.kind, terms.month, terms.key, lines.variant, terms.id AS term,
        terms.content, terms.advance, before.origin, lines.records, lines.own, lines.quantity,
        lines.packages, lines.tiers, lines.discount, lines.bound, lines.owed, lines.charged,
        lines.amount, lines.line AS place, TRUE AS apart, TRUE AS is_own
    FROM draft_lines AS lines
    INNER JOIN members USING (account)
    INNER JOIN (FROM apart_lines WHERE is_own) AS parted
        ON members.account_id = parted.account_id AND lines.line = parted.place
    INNER JOIN laid_terms AS terms USING (term)
    LEFT JOIN before ON members.account_id = before.account_id
)

SELECT
    * EXCLUDE (is_own) REPLACE (
        row_number() OVER (PARTITION BY account_id, apart ORDER BY is_own DESC, place) AS place
    )
FROM every
