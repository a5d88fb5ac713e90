-- What counts as charged before an act: the lines of every document that a run made and that was
-- not void then, and of corrections of such. A concession never counts, so it is never billed back;
-- what makes a document void takes its lines out, and so does not count itself.
CREATE OR REPLACE TEMP MACRO charging(act) AS TABLE
SELECT invoices.account_id, invoices.run, lines.*
FROM invoice_lines AS lines
INNER JOIN invoices ON lines.invoice = invoices.id
LEFT JOIN invoices AS corrected ON invoices.corrects = corrected.id
WHERE invoices.status <> 'draft' AND invoices.run < act
    AND coalesce(invoices.voided, act) >= act
    AND (
        invoices.credit IS NULL
        OR (invoices.credit = 'correction' AND coalesce(corrected.voided, act) >= act)
    )
