CREATE OR REPLACE TEMP TABLE proved_rows (
    record_id UUID, account_id VARCHAR, last_seen TIMESTAMP, quantity BIGINT
)
