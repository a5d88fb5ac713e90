-- The accounts whose draft is no longer what was shown, where that is asked.
CREATE OR REPLACE TEMP TABLE changed (account_id VARCHAR)
