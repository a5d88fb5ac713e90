-- The documents that adjustments correct, with who sold and who bought then.
SELECT id, seller, buyer FROM invoices
SEMI JOIN (SELECT origin FROM tax_subjects WHERE is_adjustment) AS subjects
    ON invoices.id = subjects.origin
