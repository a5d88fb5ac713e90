-- What the closed documents have looked at again is done with.
DELETE FROM revisits
WHERE account_id IN (
    SELECT drafts.account_id FROM closing INNER JOIN drafts USING (account)
) AND (account_id, month) IN (SELECT (account_id, month) FROM revisited WHERE NOT is_old)
AND (account_id, month) NOT IN (SELECT (account_id, month) FROM postponed)
