-- What they say, with their terms: as the books have them, else as they were derived.
WITH known AS (
    SELECT id AS term, content FROM laid_terms
    UNION
    SELECT term, content FROM extra_lines WHERE content IS NOT NULL
)

SELECT
    lines.*, verified.name, verified.currency,
    CASE WHEN is_frozen THEN terms.content ELSE coalesce(known.content, terms.content) END
        AS content
FROM differing_lines AS lines
INNER JOIN verified USING (invoice)
LEFT JOIN terms USING (term)
LEFT JOIN known USING (term)
ORDER BY lines.invoice, lines.is_frozen DESC, lines.line
