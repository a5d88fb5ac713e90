-- What was decided on the lines that adjustments are of: the newest of each.
CREATE OR REPLACE TEMP TABLE charged_taxes AS
SELECT
    lines.account_id, lines.month, terms.key, lines.variant, max_by(lines.tax, lines.run) AS tax
FROM charging($act) AS lines
INNER JOIN terms USING (term)
SEMI JOIN (SELECT account_id, month FROM tax_subjects WHERE is_adjustment) AS subjects
    ON lines.account_id = subjects.account_id AND lines.month = subjects.month
WHERE lines.tax IS NOT NULL AND terms.key IS NOT NULL
GROUP BY lines.account_id, lines.month, terms.key, lines.variant
