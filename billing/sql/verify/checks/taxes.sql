-- Documents whose tax is not what their lines and rates come to. A credit note by hand that takes back
-- the last of a rate takes back the rest of its tax, a few smallest units beside it. What the rates are in
-- the tax currency, where that is told of them, comes to what the whole is.
WITH documents AS (
    SELECT
        id, coalesce(number, id) AS name, tax, credit,
        replace(tax_in ->> 'tax', '.', '')::HUGEINT AS tax_in,
        NOT EXISTS (FROM invoice_lines AS lines WHERE lines.invoice = invoices.id AND lines.tax IS NULL)
            AS is_decided
    FROM invoices SEMI JOIN asked ON invoices.id = asked.id
),

due AS (
    SELECT
        invoice, tax ->> 'category' AS category, (tax ->> 'ppm')::BIGINT AS ppm,
        sum(amount)::HUGEINT AS taxable
    FROM invoice_lines SEMI JOIN asked ON invoice_lines.invoice = asked.id
    WHERE tax IS NOT NULL
    GROUP BY invoice, category, ppm
),

told AS (
    SELECT * FROM invoice_taxes SEMI JOIN asked ON invoice_taxes.invoice = asked.id
),

sums AS (
    SELECT
        invoice, sum(tax)::HUGEINT AS tax, sum(tax_in)::HUGEINT AS tax_in,
        count(tax_in) AS told_in, count(*) AS rates
    FROM told GROUP BY invoice
),

parts AS (
    SELECT
        coalesce(due.invoice, told.invoice) AS id,
        coalesce(due.ppm, told.ppm) AS rate,
        coalesce(due.category, told.category) || ' '
        || rtrim(rtrim(printf('%d.%04d', rate // 10000, rate % 10000), '0'), '.') || ' %' AS what,
        told.taxable IS DISTINCT FROM due.taxable AS is_other, told.tax,
        tax_of(told.taxable, told.ppm) AS owed
    FROM due FULL JOIN told
        ON due.invoice = told.invoice AND due.category = told.category AND due.ppm = told.ppm
)

SELECT id, 'TAX_DIFFERS' AS code, name, 'its tax is not the sum of its rates' AS message
FROM documents LEFT JOIN sums ON documents.id = sums.invoice
WHERE documents.tax IS DISTINCT FROM
    CASE WHEN is_decided AND documents.tax IS NOT NULL THEN coalesce(sums.tax, 0::HUGEINT) END
UNION ALL
SELECT id, 'TAX_DIFFERS' AS code, name,
    'its tax in the tax currency is not the sum of its rates' AS message
FROM documents INNER JOIN sums ON documents.id = sums.invoice
WHERE told_in > 0 AND (told_in <> rates OR documents.tax_in IS DISTINCT FROM sums.tax_in)
UNION ALL
SELECT
    documents.id, 'TAX_DIFFERS' AS code, name,
    CASE WHEN is_other THEN 'the lines of ' || what || ' do not come to what is taxed'
        ELSE 'the tax of ' || what || ' is not that of its lines' END AS message
FROM documents INNER JOIN parts USING (id)
WHERE documents.tax IS NOT NULL AND (
    is_other OR (credit IS NULL AND parts.tax <> owed)
)
ORDER BY name, message
