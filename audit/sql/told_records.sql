CREATE OR REPLACE TEMP TABLE told_records (
    record_id UUID, started_at TIMESTAMP, account_id VARCHAR, meeting_id VARCHAR,
    participant_id VARCHAR, meter VARCHAR, variant VARCHAR,
    last_seen TIMESTAMP, stopped BOOLEAN, cancelled BOOLEAN, quantity BIGINT, continues UUID
)
