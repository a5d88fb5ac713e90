-- Some of the records of the documents by one source, in the shape of the evidence.
INSERT INTO sourced_records BY NAME
SELECT * EXCLUDE (number, place, account) FROM told_rows($first, $last, $first_account, $last_account)
