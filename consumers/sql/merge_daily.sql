-- The days move by the difference, new less old contribution. A changed record moves last_batch
-- even where its sums stay: late evidence is looked for by it.
MERGE INTO usage_daily d
USING (
    SELECT
        started_at::DATE AS day, account_id, meter, variant,
        sum((NOT cancelled)::INTEGER - (known AND NOT old_cancelled)::INTEGER)
            AS records,
        sum(
            CASE WHEN cancelled THEN 0 ELSE epoch_us(last_seen) - epoch_us(started_at) END
            - CASE WHEN known AND NOT old_cancelled
                THEN epoch_us(old_last_seen) - epoch_us(started_at) ELSE 0 END
        ) AS duration_us,
        sum(
            CASE WHEN cancelled THEN 0 ELSE coalesce(quantity, 0) END::HUGEINT
            - CASE WHEN known AND NOT old_cancelled
                THEN coalesce(old_quantity, 0) ELSE 0 END::HUGEINT
        ) AS quantity
    FROM touched_records
    WHERE NOT known OR last_seen <> old_last_seen OR stopped <> old_stopped
        OR cancelled <> old_cancelled OR quantity IS DISTINCT FROM old_quantity
        OR continues IS DISTINCT FROM old_continues
    GROUP BY ALL
) t
    ON d.day = t.day AND d.account_id = t.account_id AND d.meter = t.meter
    AND d.variant IS NOT DISTINCT FROM t.variant
WHEN MATCHED THEN UPDATE SET
    records = d.records + t.records, duration_us = d.duration_us + t.duration_us,
    quantity = d.quantity + t.quantity, last_batch = $batch
WHEN NOT MATCHED THEN INSERT VALUES (
    t.day, t.account_id, t.meter, t.variant, t.records, t.duration_us, t.quantity, $batch
)
