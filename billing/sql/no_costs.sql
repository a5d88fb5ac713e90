-- What each account's months cost under either version, in the currency's smallest units.
CREATE OR REPLACE TEMP TABLE costs (account_id VARCHAR, is_new BOOLEAN, amount HUGEINT)
