-- Months from one on that are closed by any version of the book, and for how many accounts.
SELECT month, count(DISTINCT account_id) AS accounts
FROM closed_documents
WHERE month >= $month AND list_has_any(
    books, (SELECT list(sha256) FROM price_books WHERE book = $book)
)
GROUP BY month ORDER BY month
