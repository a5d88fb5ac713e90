-- Where both stores are equal, days have changed when they did: billing need not look at all of them
-- again.
UPDATE usage_daily SET last_batch = old.last_batch
FROM old.usage_daily AS old
WHERE old.day = usage_daily.day AND old.account_id = usage_daily.account_id
    AND old.meter = usage_daily.meter AND old.variant IS NOT DISTINCT FROM usage_daily.variant
