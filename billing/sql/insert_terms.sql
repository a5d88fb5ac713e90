INSERT INTO terms
SELECT DISTINCT laid_terms.id, laid_terms.content
FROM laid_terms
WHERE laid_terms.id NOT IN (SELECT term FROM terms)
