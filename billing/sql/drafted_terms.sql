-- The terms of the drafts' lines that are not in the books yet. Cohorts may share them.
CREATE OR REPLACE TEMP VIEW drafted_terms AS
SELECT DISTINCT id AS term, CASE WHEN content IS NOT NULL THEN key END AS key, content
FROM (
    SELECT id, key, content FROM laid_terms
    UNION ALL
    SELECT term AS id, key, content FROM extra_lines WHERE content IS NOT NULL
)
WHERE id NOT IN (SELECT term FROM terms)
