-- The lines of the drafts as rows of `invoice_lines`, with what is decided on each.
CREATE OR REPLACE TEMP VIEW taxed_lines AS
SELECT lines.*, decided.tax
FROM drafted_lines AS lines
LEFT JOIN decided_taxes AS decided
    ON lines.invoice = decided.invoice AND lines.line = decided.line
