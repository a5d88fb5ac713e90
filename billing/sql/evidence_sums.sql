-- The SHA-256 of the sorted SHA-256s of an invoice's rows, for one part of the accounts. A sum of the
-- rows as text, put in order by the aggregate, took five kilobytes for each.
INSERT INTO evidence_sums
SELECT
    invoice, count(*) AS records,
    sha256(array_to_string(list_sort(list(sha256(evidence_text(evidence)))), chr(10))) AS sha256
FROM evidence WHERE account % $parts = $part
GROUP BY invoice
