-- A document for each account that has one: what is on its head, and its sum.
CREATE OR REPLACE TEMP TABLE drafts AS
WITH sums AS (
    SELECT account, sum(amount)::HUGEINT AS subtotal, bool_and(amount = 0) AS is_nil
    FROM draft_lines GROUP BY account
)

SELECT
    members.account, members.account_id, $month || '.' || members.account_id AS id,
    $month AS month, cohorts.* EXCLUDE (cohort, has_document), $seller AS seller,
    to_json(accounts)::VARCHAR AS buyer, accounts.payment_terms_days,
    $before || '.' || members.account_id AS origin,
    coalesce(sums.subtotal, 0::HUGEINT) AS subtotal, coalesce(sums.is_nil, TRUE) AS is_nil
FROM members
INNER JOIN draft_cohorts AS cohorts USING (cohort)
INNER JOIN accounts USING (account_id)
LEFT JOIN sums USING (account)
WHERE cohorts.has_document AND members.account_id NOT IN (SELECT account_id FROM left_out)
