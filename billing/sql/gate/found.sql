CREATE OR REPLACE TEMP TABLE gaps_found AS
SELECT start_us, end_us, account_id, code, place, message FROM gate_gaps WHERE NOT settled
