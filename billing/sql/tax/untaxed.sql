-- The accounts whose draft cannot be closed, as its tax is not known, with every reason.
CREATE OR REPLACE TEMP TABLE untaxed AS
SELECT account_id, fault, why FROM decided_taxes WHERE tax IS NULL
UNION
SELECT
    drafts.account_id, 'RATE_MISSING' AS fault,
    'there is no rate of ' || drafts.currency || ' in ' || $tax_currency
    || ': see [tax.exchange] or --rate' AS why
FROM drafts
WHERE drafts.currency <> $tax_currency
    AND drafts.currency NOT IN (SELECT unnest($exchanged::VARCHAR[]))
    AND drafts.id IN (
        SELECT invoice FROM draft_sums WHERE tax <> 0
        UNION ALL
        SELECT invoice FROM decided_taxes WHERE tax IS NULL OR (tax ->> 'ppm')::BIGINT > 0
    )
