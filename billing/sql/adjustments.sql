-- What closed periods cost as known now less what was charged for them before an act, by original
-- line, where that is not zero. One-off items have no key and are never rated again.
CREATE OR REPLACE TEMP TABLE adjustments AS
WITH charged AS (
    SELECT
        lines.account_id, lines.month, terms.key, lines.variant, lines.term, lines.advance,
        lines.amount AS charged
    FROM charging($act) AS lines
    INNER JOIN terms USING (term)
    SEMI JOIN revisited
        ON lines.account_id = revisited.account_id AND lines.month = revisited.month
    WHERE terms.key IS NOT NULL
),

parts AS (
    SELECT
        account_id, month, key, variant, line, term, content, advance, account, rate, sums, owed
    FROM owed_lines
    UNION ALL BY NAME
    SELECT account_id, month, key, variant, term AS known, advance, charged FROM charged
),

compared AS (
    SELECT
        account_id, month, key, variant, min(line) AS line,
        coalesce(any_value(term), max(known)) AS term, any_value(content) AS content,
        bool_or(advance) AS advance, any_value(account) AS account, any_value(rate) AS rate,
        any_value(sums) AS sums, coalesce(sum(owed), 0)::HUGEINT AS owed,
        coalesce(sum(charged), 0)::HUGEINT AS charged
    FROM parts GROUP BY account_id, month, key, variant
)

SELECT compared.*, revisited.origin
FROM compared
INNER JOIN revisited USING (account_id, month)
ANTI JOIN postponed USING (account_id, month)
WHERE owed <> charged AND NOT revisited.is_old
