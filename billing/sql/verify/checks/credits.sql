-- Credit notes by hand whose lines are not of the lines they take back, and lines of which more was
-- taken back than there is; of a void document, not all.
WITH notes AS (
    SELECT id, corrects, coalesce(number, id) AS name
    FROM invoices
    WHERE credit IS NOT NULL
        AND (id IN (SELECT id FROM asked) OR corrects IN (SELECT id FROM asked))
),

given AS (
    SELECT
        notes.id, notes.name, lines.line, lines.amount, notes.corrects, lines.credits,
        credited.line IS NOT NULL AND lines.term = credited.term
        AND lines.month = credited.month AND lines.advance = credited.advance
        AND lines.variant IS NOT DISTINCT FROM credited.variant AS is_alike
    FROM notes
    INNER JOIN invoice_lines AS lines ON notes.id = lines.invoice
    LEFT JOIN invoice_lines AS credited
        ON notes.corrects = credited.invoice AND lines.credits = credited.line
),

documents AS (
    SELECT id, coalesce(number, id) AS name, status FROM invoices
    WHERE id IN (SELECT id FROM asked) AND credit IS NULL AND status <> 'nil'
),

rest AS (
    SELECT
        documents.id, documents.name, documents.status, lines.line, lines.amount,
        lines.amount + coalesce(sum(given.amount), 0::HUGEINT) AS left_over
    FROM documents
    INNER JOIN invoice_lines AS lines ON documents.id = lines.invoice
    LEFT JOIN given ON documents.id = given.corrects AND lines.line = given.credits
    GROUP BY documents.id, documents.name, documents.status, lines.line, lines.amount
)

SELECT
    id, 'CREDIT_DIFFERS' AS code, name || ' line ' || id || '.' || printf('%04d', line) AS name,
    'it is not of the line that it takes back' AS message
FROM given WHERE NOT is_alike AND id IN (SELECT id FROM asked)
UNION ALL
SELECT
    id, 'CREDIT_DIFFERS' AS code, name || ' line ' || id || '.' || printf('%04d', line) AS name,
    CASE WHEN status = 'void' THEN 'the document is void, and not all of the line was taken back'
        ELSE 'more of it was taken back than there is' END AS message
FROM rest
WHERE CASE WHEN status = 'void' THEN left_over <> 0
    ELSE left_over NOT BETWEEN least(amount, 0) AND greatest(amount, 0) END
ORDER BY name
