-- What the month comes to for each watched account: its draft, or what closed it.
INSERT INTO spent
SELECT account_id, $month, subtotal FROM drafts
UNION ALL
SELECT account_id, $month, sum(subtotal)::HUGEINT
FROM closed_documents INNER JOIN watched USING (account_id)
WHERE month = $month
GROUP BY account_id
