-- As `taxes_of`, of drafts that are not kept.
FROM drafted_taxes WHERE invoice IN (SELECT unnest($ids)) ORDER BY invoice, category, ppm DESC
