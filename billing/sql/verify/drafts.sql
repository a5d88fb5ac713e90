-- The documents in the place of the drafts they were, so that `drafted_lines` are theirs.
CREATE OR REPLACE TEMP TABLE drafts AS
WITH sums AS (SELECT account, count(*) AS lines FROM draft_lines GROUP BY account),

before AS (
    SELECT account_id, max_by(invoice, run) AS origin
    FROM charging($act) WHERE month = $month AND advance GROUP BY account_id
)

SELECT
    members.account, verified.account_id, verified.invoice AS id, before.origin,
    coalesce(sums.lines, 0) AS lines
FROM members
INNER JOIN verified USING (account_id)
LEFT JOIN sums USING (account)
LEFT JOIN before USING (account_id)
