CREATE OR REPLACE TEMP TABLE moved_since (
    account_id VARCHAR, day DATE, meter VARCHAR, variant VARCHAR, last_batch BIGINT
)
