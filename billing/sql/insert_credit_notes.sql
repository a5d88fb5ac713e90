-- Seller, buyer and period are those of the document that is corrected.
INSERT INTO invoices BY NAME
SELECT
    notes.id, documents.account_id, documents.month, notes.kind, 'final' AS status, notes.number,
    $today::DATE AS issued_on, notes.document AS corrects, $credit AS credit, $reason AS reason,
    documents.currency, documents.plan, documents.zone, documents.start_us, documents.end_us,
    documents.seller, documents.buyer, notes.subtotal, notes.tax, documents.books, $run AS run,
    0 AS evidence_rows
FROM credit_notes AS notes
INNER JOIN invoices AS documents ON notes.document = documents.id
