-- What is decided on each line: as its period was invoiced where it adjusts one, by the line that it
-- is of, else by the document's buyer and seller; else as the account is now. `why` where nothing is.
CREATE OR REPLACE TEMP TABLE decided_taxes AS
WITH ruled AS (
    SELECT
        subjects.invoice, subjects.line, subjects.account_id, subjects.amount, charged.tax AS known,
        tax_terms.tax_category, tax_terms.day,
        CASE WHEN origins.origin IS NULL THEN buyers.rule ELSE origins.rule END AS rule
    FROM tax_subjects AS subjects
    INNER JOIN tax_terms ON subjects.term = tax_terms.term AND subjects.zone = tax_terms.zone
    INNER JOIN buyer_rules AS buyers ON subjects.account_id = buyers.account_id
    LEFT JOIN origin_rules AS origins ON subjects.is_adjustment AND subjects.origin = origins.origin
    LEFT JOIN charged_taxes AS charged
        ON subjects.is_adjustment AND subjects.account_id = charged.account_id
        AND subjects.month = charged.month AND subjects.key = charged.key
        AND subjects.variant IS NOT DISTINCT FROM charged.variant
)

SELECT
    ruled.invoice, ruled.line, ruled.account_id, ruled.amount,
    CASE
        WHEN ruled.known IS NOT NULL THEN ruled.known
        WHEN ruled.rule.category <> 'S' THEN
            tax_text(ruled.rule.category, ruled.rule.country, 0, ruled.rule.reason)
        WHEN rates.ppm IS NOT NULL THEN
            tax_text(
                CASE WHEN rates.ppm = 0 THEN 'Z' ELSE 'S' END, ruled.rule.country, rates.ppm, NULL
            )
    END AS tax,
    CASE
        WHEN tax IS NOT NULL THEN NULL
        WHEN ruled.rule.category IS NULL THEN ruled.rule.reason
        ELSE 'there is no rate of ' || ruled.rule.country || ' for ' || ruled.tax_category || ' on '
            || ruled.day || ': see [[tax.rate]]'
    END AS why,
    CASE WHEN ruled.rule.category IS NULL THEN 'TAX_UNDECIDED' ELSE 'TAX_RATE_MISSING' END AS fault
FROM ruled
LEFT JOIN tax_rates AS rates
    ON ruled.rule.country = rates.country AND ruled.tax_category = rates.tax_category
    AND ruled.day >= rates.since AND ruled.day < rates.until
