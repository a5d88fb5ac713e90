-- In the order of the document.
FROM invoice_taxes WHERE invoice IN (SELECT unnest($ids)) ORDER BY invoice, category, ppm DESC
