-- Closed periods that may cost something else now and are too long ago to be charged unasked.
SELECT revisits.account_id, revisits.month, string_agg(DISTINCT revisits.reason, ', ' ORDER BY revisits.reason) AS changed
FROM revisits ANTI JOIN open_again USING (account_id, month)
WHERE revisits.month < $least
    AND ($everyone OR revisits.account_id IN (SELECT unnest($accounts)))
GROUP BY revisits.account_id, revisits.month ORDER BY revisits.account_id, revisits.month
