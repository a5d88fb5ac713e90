-- What each closed document was computed from.
INSERT INTO periods BY NAME
SELECT
    closing.id AS invoice, drafts.month, drafts.zone, drafts.start_us, drafts.end_us,
    cohorts.history, cohorts.known_books AS books
FROM closing
INNER JOIN drafts USING (account)
INNER JOIN members ON drafts.account_id = members.account_id
INNER JOIN draft_cohorts AS cohorts ON members.cohort = cohorts.cohort
UNION ALL BY NAME
SELECT
    closing.id AS invoice, months.month, months.zone, months.start_us, months.end_us,
    months.history, months.known_books AS books
FROM closing
INNER JOIN drafts USING (account)
INNER JOIN revisited_members AS again ON drafts.account_id = again.account_id
INNER JOIN revisited_months AS months ON again.cohort = months.cohort
