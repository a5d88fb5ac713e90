-- What a file of evidence has of those accounts' records.
INSERT INTO proved_rows
SELECT record_id::UUID, account_id, last_seen, quantity
FROM stored_evidence($path)
WHERE account_id IN (SELECT account_id FROM closed_long_ago)
