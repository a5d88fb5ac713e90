-- The adjustments that cannot stand with the rest of their draft, because one is outside the scope of
-- VAT and the other is not (EN 16931, BR-O-11 to 14): by account, and by the number of a line of the
-- month's own or of an extra one.
CREATE OR REPLACE TEMP TABLE apart_lines AS
WITH told AS (
    SELECT
        decided.invoice, decided.line,
        (decided.tax ->> 'category' = 'O') <> (buyers.rule.category = 'O') AS is_other
    FROM decided_taxes AS decided
    SEMI JOIN (SELECT invoice FROM tax_subjects WHERE is_adjustment) AS adjusting
        ON decided.invoice = adjusting.invoice
    INNER JOIN buyer_rules AS buyers USING (account_id)
)

SELECT
    drafts.account_id, told.line <= drafts.lines AS is_own,
    CASE WHEN is_own THEN told.line ELSE told.line - drafts.lines END AS place
FROM told INNER JOIN drafts ON told.invoice = drafts.id
WHERE told.is_other AND told.invoice IN (SELECT invoice FROM told WHERE NOT is_other)
