-- The accounts whose draft cannot be closed, as its tax is not known; the first reason of each.
CREATE OR REPLACE TEMP TABLE untaxed AS
SELECT account_id, arg_min(fault, line) AS fault, arg_min(why, line) AS why
FROM (
    SELECT account_id, line, fault, why FROM decided_taxes WHERE tax IS NULL
    UNION ALL
    SELECT
        drafts.account_id, 0 AS line, 'RATE_MISSING' AS fault,
        'there is no rate of ' || drafts.currency || ' in ' || $tax_currency
        || ': see [tax.exchange] or --rate' AS why
    FROM drafts INNER JOIN draft_sums ON drafts.id = draft_sums.invoice
    WHERE draft_sums.tax <> 0 AND drafts.currency <> $tax_currency
        AND drafts.currency NOT IN (SELECT unnest($exchanged::VARCHAR[]))
)
GROUP BY account_id
