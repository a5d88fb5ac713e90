-- Closed periods with late usage that is too long ago to be charged unasked. Whatever else has
-- changed one, the next run adjusts it.
SELECT revisits.account_id, revisits.month, any_value(revisits.reason) AS changed
FROM revisits ANTI JOIN open_again USING (account_id, month)
WHERE revisits.month < $least
    AND ($everyone OR revisits.account_id IN (SELECT unnest($accounts)))
GROUP BY revisits.account_id, revisits.month HAVING bool_and(revisits.reason = 'usage')
ORDER BY revisits.account_id, revisits.month
