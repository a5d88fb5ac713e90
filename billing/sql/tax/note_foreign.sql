UPDATE invoices SET tax_in = foreign_sums.tax_in
FROM foreign_sums WHERE invoices.id = foreign_sums.id
