-- Versions of books that documents or their periods name and that are not there.
WITH named AS (
    SELECT id, unnest(books) AS sha256 FROM invoices SEMI JOIN asked ON invoices.id = asked.id
    UNION
    SELECT invoice, unnest(books) FROM periods SEMI JOIN asked ON periods.invoice = asked.id
)

SELECT
    named.id, 'BOOK_GONE' AS code, coalesce(invoices.number, invoices.id) AS name,
    'the version of a book it was made from is not stored: SHA-256 ' || named.sha256 AS message
FROM named
INNER JOIN invoices ON named.id = invoices.id
ANTI JOIN price_books ON named.sha256 = price_books.sha256
ORDER BY name, message
