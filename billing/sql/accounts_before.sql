CREATE OR REPLACE TEMP TABLE accounts_before AS FROM accounts
