-- The thresholds that months have come to, and whether that was told before.
CREATE OR REPLACE TEMP TABLE reached AS
SELECT
    account_id, spent.month, alerts.threshold, spent.total, accounts.currency,
    coalesce(fired.fired_us, $now_us) AS fired_us, fired.fired_us IS NULL AS is_new
FROM alerts
INNER JOIN spent USING (account_id)
INNER JOIN accounts USING (account_id)
LEFT JOIN alerts_fired AS fired USING (account_id, month, threshold)
WHERE spent.total >= alerts.threshold
