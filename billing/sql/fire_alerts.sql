INSERT INTO alerts_fired BY NAME
SELECT account_id, month, threshold, fired_us, total FROM reached WHERE is_new
