-- What a run has closed, in numbers.
SELECT
    count(number) AS numbered, count(*) - count(number) AS nil,
    min(number) FILTER (kind = 'invoice') AS first_invoice,
    max(number) FILTER (kind = 'invoice') AS last_invoice,
    min(number) FILTER (kind = 'credit_note') AS first_credit_note,
    max(number) FILTER (kind = 'credit_note') AS last_credit_note
FROM closing
