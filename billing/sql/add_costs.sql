INSERT INTO costs
SELECT members.account_id, $is_new, sum(draft_lines.amount)
FROM draft_lines INNER JOIN members USING (account) GROUP BY members.account_id
