-- A document for each account that has one: what is on its head, and its sum. An account with
-- nothing but adjustments or items has one too. `origin` is what charged the month in advance.
CREATE OR REPLACE TEMP TABLE drafts AS
WITH sums AS (
    SELECT
        account, sum(draft_lines.amount)::HUGEINT AS amount,
        bool_and(draft_lines.amount = 0) AS is_nil, count(*) AS lines
    FROM draft_lines GROUP BY account
),

extra AS (
    SELECT
        account_id, sum(extra_lines.amount)::HUGEINT AS amount,
        bool_and(extra_lines.amount = 0) AS is_nil
    FROM extra_lines GROUP BY account_id
),

again AS (
    SELECT account_id, max(place_of(id, account_id)) AS place FROM invoices
    WHERE month = $month AND status <> 'draft' GROUP BY account_id
),

before AS (
    SELECT account_id, max_by(invoice, run) AS origin
    FROM charging($act) WHERE month = $month AND advance GROUP BY account_id
),

more_books AS (
    SELECT members.account_id, flatten(list(months.books)) AS books
    FROM revisited_members AS members INNER JOIN revisited_months AS months USING (cohort)
    GROUP BY members.account_id
)

SELECT
    members.account, members.account_id,
    $month || '.' || members.account_id || coalesce('#' || (again.place + 1), '') AS id,
    $month AS month,
    cohorts.* EXCLUDE (cohort, month, has_document, books, known_books, history), $seller AS seller,
    list_sort(list_distinct(list_concat(cohorts.books, more_books.books))) AS books,
    to_json(accounts)::VARCHAR AS buyer, NULL::HUGEINT AS tax, accounts.payment_terms_days, before.origin,
    coalesce(sums.lines, 0) AS lines, coalesce(again.place + 1, 1) AS place,
    FALSE AS apart,
    coalesce(sums.amount, 0::HUGEINT) + coalesce(extra.amount, 0::HUGEINT) AS subtotal,
    CASE WHEN subtotal < 0 THEN 'credit_note' ELSE 'invoice' END AS kind,
    coalesce(sums.is_nil, TRUE) AND coalesce(extra.is_nil, TRUE) AS is_nil
FROM members
INNER JOIN draft_cohorts AS cohorts USING (cohort)
INNER JOIN accounts USING (account_id)
LEFT JOIN sums USING (account)
LEFT JOIN extra USING (account_id)
LEFT JOIN again USING (account_id)
LEFT JOIN before USING (account_id)
LEFT JOIN more_books USING (account_id)
WHERE (cohorts.has_document OR extra.account_id IS NOT NULL)
    AND members.account_id NOT IN (SELECT account_id FROM left_out)
