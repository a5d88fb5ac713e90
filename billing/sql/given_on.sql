-- What corrects a document, oldest first.
SELECT number, kind, credit, reason, currency, -subtotal AS amount
FROM invoices WHERE corrects = $id AND status <> 'draft' ORDER BY run, number
