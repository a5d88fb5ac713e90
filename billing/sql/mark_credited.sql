-- The periods whose charges a credit note or a voiding has changed, but for a void one's own.
INSERT INTO revisits
SELECT DISTINCT documents.account_id, lines.month, $reason AS reason
FROM credited
INNER JOIN invoices AS documents ON credited.id = documents.id
INNER JOIN invoice_lines AS lines ON documents.id = lines.invoice
INNER JOIN terms USING (term)
WHERE terms.key IS NOT NULL AND (lines.month <> documents.month OR documents.apart OR $reason <> 'void')
