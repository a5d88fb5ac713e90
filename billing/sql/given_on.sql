-- What corrects a document, oldest first, with the amount that it shows.
SELECT
    number, kind, status, credit, reason, currency,
    CASE WHEN kind = 'credit_note' THEN -1 ELSE 1 END
    * (subtotal + coalesce(tax, 0::HUGEINT)) AS amount
FROM invoices WHERE corrects = $id AND status <> 'draft' ORDER BY run, number
