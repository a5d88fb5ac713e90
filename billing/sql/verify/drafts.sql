-- The documents in the place of the drafts they were, so that `drafted_lines` are theirs.
CREATE OR REPLACE TEMP TABLE drafts AS
WITH sums AS (SELECT account, count(*) AS lines FROM draft_lines GROUP BY account),

before AS (
    SELECT account_id, max_by(invoice, run) AS origin
    FROM charging($act) WHERE month = $month AND advance GROUP BY account_id
)

SELECT
    members.account + CASE WHEN apart THEN (SELECT count(*) FROM members) ELSE 0 END AS account,
    verified.account_id, verified.invoice AS id, before.origin, verified.apart,
    CASE WHEN apart THEN 0 ELSE coalesce(sums.lines, 0) END AS lines
FROM members
INNER JOIN verified USING (account_id)
LEFT JOIN sums ON members.account = sums.account
LEFT JOIN before USING (account_id)
