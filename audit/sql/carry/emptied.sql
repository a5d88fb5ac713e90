-- Days whose usage was withdrawn stay at zero, so that billing can still learn of it: the log read at
-- once may never have counted them.
INSERT INTO usage_daily
FROM old.usage_daily AS old
ANTI JOIN usage_daily AS new
    ON old.day = new.day AND old.account_id = new.account_id AND old.meter = new.meter
    AND old.variant IS NOT DISTINCT FROM new.variant
WHERE old.records = 0
