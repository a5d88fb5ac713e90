-- What runs made of a month and of the one before it, by document: in force, drafts included.
CREATE OR REPLACE TEMP TABLE report_totals AS
SELECT
    account_id, month, currency, plan, status, subtotal,
    CASE
        WHEN status = 'nil' THEN 'nil'
        WHEN status = 'draft' AND NOT $issue_zero AND NOT EXISTS (
            SELECT 1 FROM invoice_lines AS lines
            WHERE lines.invoice = invoices.id AND lines.amount <> 0
        ) THEN 'nil'
        WHEN kind = 'credit_note' THEN 'credit notes'
        ELSE 'invoices'
    END AS what
FROM invoices
WHERE month IN ($month, $before) AND status <> 'void' AND credit IS NULL
    AND ($everyone OR account_id IN (SELECT unnest($accounts)))
