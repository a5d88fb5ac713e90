-- Months that are void and were not run again: open, in their old bounds.
CREATE OR REPLACE TEMP VIEW open_again AS
SELECT account_id, month FROM invoices
WHERE status <> 'draft' AND credit IS NULL
GROUP BY account_id, month HAVING bool_and(status = 'void')
