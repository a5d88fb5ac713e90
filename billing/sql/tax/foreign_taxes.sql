-- The documents of an act that charge tax in another currency than the seller's tax currency, with what
-- they charge of each rate.
SELECT
    invoices.id, invoices.currency,
    list({'category': taxes.category, 'ppm': taxes.ppm, 'tax': taxes.tax}
        ORDER BY taxes.category, taxes.ppm DESC) AS parts
FROM invoices INNER JOIN invoice_taxes AS taxes ON invoices.id = taxes.invoice
WHERE invoices.run = $run AND invoices.tax <> 0 AND invoices.currency <> $tax_currency
GROUP BY invoices.id, invoices.currency ORDER BY invoices.id
