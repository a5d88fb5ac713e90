-- The documents asked for, all others of their accounts, and what any of these corrects.
CREATE OR REPLACE TEMP TABLE near_documents AS
WITH related AS (
    SELECT id, corrects FROM invoices
    WHERE id IN (SELECT id FROM asked) OR corrects IN (SELECT id FROM asked)
        OR account_id IN (
            SELECT account_id FROM invoices WHERE id IN (SELECT id FROM asked)
        )
)

SELECT id FROM related
UNION
SELECT corrects FROM related WHERE corrects IS NOT NULL
