-- Closed periods that would be adjusted now, were no record of theirs in conflict.
SELECT account_id, month FROM postponed
WHERE $everyone OR account_id IN (SELECT unnest($accounts))
ORDER BY account_id, month
