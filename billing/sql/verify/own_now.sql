-- The records of the own lines by one source; within the month's layout.
INSERT INTO sourced_records BY NAME
SELECT * EXCLUDE (number, account) FROM own_rows
