SELECT account_id, who, at_us, reason FROM holds
WHERE month = $month AND ($everyone OR account_id IN (SELECT unnest($accounts)))
ORDER BY account_id
