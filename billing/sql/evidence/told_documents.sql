-- The documents that a run closes.
CREATE OR REPLACE TEMP TABLE told_documents AS
SELECT account, account_id, number, id AS invoice FROM closing
