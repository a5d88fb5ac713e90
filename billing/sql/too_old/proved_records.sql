-- Each of those records as last rated.
CREATE OR REPLACE TEMP TABLE proved_records AS
SELECT record_id, account_id, max(last_seen) AS last_seen, max(quantity) AS quantity
FROM proved_rows
GROUP BY record_id, account_id
