-- What evidence has of those accounts' records, as last rated.
CREATE OR REPLACE TEMP TABLE proved_records AS
SELECT
    record_id::UUID AS record_id, account_id, max(last_seen) AS last_seen,
    max(quantity) AS quantity
FROM read_parquet($files)
WHERE account_id IN (SELECT account_id FROM closed_long_ago)
GROUP BY ALL
