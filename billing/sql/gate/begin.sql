-- What is missing for a period: of all accounts, or of one. What a retirement or a dismissal
-- settled is kept beside it, for the evidence.
CREATE OR REPLACE TEMP TABLE gate_gaps (
    start_us BIGINT, end_us BIGINT, account_id VARCHAR, code VARCHAR, place VARCHAR,
    message VARCHAR, server_id VARCHAR, quarantine_id BIGINT, settled BOOLEAN
)
