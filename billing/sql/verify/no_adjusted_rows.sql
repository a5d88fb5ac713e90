CREATE OR REPLACE TEMP TABLE adjusted_rows (
    invoice VARCHAR, record_id UUID, started_at TIMESTAMP, meeting_id VARCHAR,
    participant_id VARCHAR, meter VARCHAR, variant VARCHAR, continues UUID, last_seen TIMESTAMP,
    stopped BOOLEAN, quantity BIGINT, lines INTEGER[], chargeable VARCHAR[], place INTEGER
)
