-- The tax that is given back on each document. What takes back the rest of a rate takes back the rest of
-- its tax, so that a whole is no cent more or less than its parts.
CREATE OR REPLACE TEMP TABLE credited_taxes AS
WITH near AS (
    SELECT id, id AS document FROM credited
    UNION ALL
    SELECT invoices.id, credited.id AS document
    FROM invoices INNER JOIN credited ON invoices.corrects = credited.id
    WHERE invoices.credit IS NOT NULL
),

left_of_taxes AS (
    SELECT
        near.document, taxes.category, taxes.ppm, sum(taxes.taxable)::HUGEINT AS taxable,
        sum(taxes.tax)::HUGEINT AS tax
    FROM near INNER JOIN invoice_taxes AS taxes ON near.id = taxes.invoice
    GROUP BY near.document, taxes.category, taxes.ppm
)

SELECT
    sums.* REPLACE (
        CASE WHEN rest.taxable + sums.taxable = 0 THEN -rest.tax ELSE sums.tax END AS tax
    )
FROM summed_taxes AS sums
LEFT JOIN left_of_taxes AS rest
    ON sums.invoice = rest.document AND sums.category = rest.category AND sums.ppm = rest.ppm
