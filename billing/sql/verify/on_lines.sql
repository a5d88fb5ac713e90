-- The documents, each with the rates of its own lines at the numbers that the lines have; behind
-- them those that it has no line for: a record that is on one of those is missed.
CREATE OR REPLACE TEMP TABLE on_lines AS
WITH rated AS (
    SELECT lines.invoice, lines.line, rates.rate
    FROM laid_lines AS lines
    INNER JOIN rates
        ON lines.term = rates.term AND lines.variant IS NOT DISTINCT FROM rates.variant
    WHERE lines.kind = 'usage' AND lines.is_own
),

last_lines AS (
    SELECT verified.invoice, coalesce(max(lines.line), 0) AS line
    FROM verified LEFT JOIN frozen_lines AS lines USING (invoice)
    GROUP BY verified.invoice
),

places AS (
    SELECT invoice, unnest(range(1, max(line) + 1)) AS line FROM rated GROUP BY invoice
),

frozen AS (
    SELECT places.invoice, list(rated.rate ORDER BY places.line) AS rates
    FROM places
    LEFT JOIN rated ON places.invoice = rated.invoice AND places.line = rated.line
    GROUP BY places.invoice
),

unlisted AS (
    SELECT verified.invoice, list(rates.rate ORDER BY rates.rate) AS rates
    FROM verified
    INNER JOIN members ON verified.account_id = members.account_id
    INNER JOIN rates USING (cohort)
    WHERE (verified.invoice, rates.rate) NOT IN (SELECT (invoice, rate) FROM rated)
    GROUP BY verified.invoice
)

SELECT
    documents.account,
    list_concat(
        list_resize(coalesce(frozen.rates, []), last_lines.line), coalesce(unlisted.rates, [])
    ) AS rates
FROM told_documents AS documents
INNER JOIN last_lines USING (invoice)
LEFT JOIN frozen USING (invoice)
LEFT JOIN unlisted USING (invoice)
