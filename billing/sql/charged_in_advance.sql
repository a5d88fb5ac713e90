-- What was charged in advance for the month before an act, by fee, and how that was taxed and booked.
SELECT
    lines.account_id, terms.content ->> 'book' AS book, terms.content ->> 'plan' AS plan,
    terms.content ->> 'code' AS code, max(terms.content ->> 'description') AS description,
    sum(lines.amount)::HUGEINT AS amount,
    max_by(booked(terms.content), (lines.run, lines.line)) AS booked
FROM charging($act) AS lines
INNER JOIN terms USING (term)
WHERE lines.month = $month AND lines.advance
GROUP BY ALL HAVING sum(lines.amount) <> 0 ORDER BY ALL
