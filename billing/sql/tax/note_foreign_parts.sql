UPDATE invoice_taxes SET tax_in = parts.tax_in
FROM foreign_parts AS parts
WHERE invoice_taxes.invoice = parts.id AND invoice_taxes.category = parts.category
    AND invoice_taxes.ppm = parts.ppm
