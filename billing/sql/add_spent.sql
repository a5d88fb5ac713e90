-- What the month comes to for each watched account: its draft, or what closed it.
INSERT INTO spent
SELECT account_id, $month, sum(subtotal)::HUGEINT FROM drafts GROUP BY account_id
UNION ALL
SELECT account_id, $month, sum(subtotal)::HUGEINT
FROM standing_documents INNER JOIN watched USING (account_id)
WHERE month = $month
GROUP BY account_id
