-- What the lines stand under, in the zones of their accounts: category, and end of what is billed.
WITH contents AS (
    SELECT id AS term, any_value(content) AS content
    FROM (
        SELECT id, content FROM laid_terms
        UNION ALL
        SELECT term AS id, content FROM extra_lines WHERE content IS NOT NULL
        UNION ALL
        SELECT term AS id, content FROM terms SEMI JOIN tax_subjects USING (term)
    ) GROUP BY id
)

SELECT
    subjects.term::VARCHAR AS term, subjects.zone,
    contents.content ->> '$.basis.tax_category' AS tax_category,
    (contents.content ->> '$.period[1]')::BIGINT AS end_us
FROM (SELECT DISTINCT term, zone FROM tax_subjects) AS subjects INNER JOIN contents USING (term)
