SELECT members.account_id, rated_lines.term
FROM rated_lines INNER JOIN members USING (account)
WHERE rated_lines.is_beyond ORDER BY ALL
