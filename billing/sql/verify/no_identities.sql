CREATE OR REPLACE TEMP TABLE shared_identities (
    record_id UUID, started_at TIMESTAMP, cancelled BOOLEAN, last_batch BIGINT
)
