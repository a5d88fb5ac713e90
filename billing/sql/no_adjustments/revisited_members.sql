CREATE OR REPLACE TEMP TABLE revisited_members (account INTEGER, account_id VARCHAR, cohort INTEGER)
