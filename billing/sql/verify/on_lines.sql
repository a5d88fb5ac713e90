-- The documents, each with the rates of its own lines at the numbers that the lines have.
CREATE OR REPLACE TEMP TABLE on_lines AS
WITH rated AS (
    SELECT frozen.invoice, frozen.line, rates.rate
    FROM frozen_lines AS frozen
    INNER JOIN verified USING (invoice)
    INNER JOIN members ON verified.account_id = members.account_id
    INNER JOIN laid_terms AS terms
        ON members.cohort = terms.cohort AND frozen.month = terms.month
        AND frozen.key = terms.key
    INNER JOIN rates
        ON terms.term = rates.term AND frozen.variant IS NOT DISTINCT FROM rates.variant
    WHERE frozen.kind = 'usage' AND frozen.month = verified.month
),

places AS (
    SELECT invoice, unnest(range(1, max(line) + 1)) AS line FROM rated GROUP BY invoice
)

SELECT
    members.account, verified.name AS number, verified.invoice,
    list(rated.rate ORDER BY places.line) AS rates
FROM places
INNER JOIN verified USING (invoice)
INNER JOIN members ON verified.account_id = members.account_id
LEFT JOIN rated ON places.invoice = rated.invoice AND places.line = rated.line
GROUP BY ALL
