-- The derived lines that the documents apart have, whether or not these are to be derived again.
CREATE OR REPLACE TEMP TABLE apart_lines AS
WITH frozen AS (
    SELECT DISTINCT documents.account_id, lines.month, terms.key, lines.variant
    FROM invoices AS documents
    SEMI JOIN verified ON documents.account_id = verified.account_id
    INNER JOIN invoice_lines AS lines ON documents.id = lines.invoice
    INNER JOIN terms USING (term)
    WHERE documents.run = $act AND documents.apart
)

SELECT members.account_id, TRUE AS is_own, lines.line AS place
FROM draft_lines AS lines
INNER JOIN members USING (account)
INNER JOIN laid_terms AS terms USING (term)
INNER JOIN frozen
    ON members.account_id = frozen.account_id AND terms.month = frozen.month
    AND terms.key = frozen.key AND lines.variant IS NOT DISTINCT FROM frozen.variant
WHERE terms.kind = 'adjustment'
UNION ALL
SELECT extra.account_id, FALSE AS is_own, extra.place
FROM extra_lines AS extra
INNER JOIN frozen
    ON extra.account_id = frozen.account_id AND extra.month = frozen.month
    AND extra.key = frozen.key AND extra.variant IS NOT DISTINCT FROM frozen.variant
WHERE extra.kind = 'adjustment'
