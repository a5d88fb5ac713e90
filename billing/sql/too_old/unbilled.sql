-- What came after the month was computed last, of kinds that a charge takes: whole records, and
-- what others have grown by.
SELECT
    records.account_id, records.meter, records.variant, count(*) AS records,
    sum(records.duration_us - coalesce(
        epoch_us(proved.last_seen) - epoch_us(records.started_at), 0
    ))::HUGEINT AS duration_us,
    sum(coalesce(records.quantity, 0) - coalesce(proved.quantity, 0))::HUGEINT AS quantity,
    'too_old' AS reason
FROM month_records AS records
INNER JOIN closed_long_ago AS closed USING (account_id)
INNER JOIN changed_kinds AS kinds
    ON records.account_id = kinds.account_id AND records.meter = kinds.meter
    AND records.variant IS NOT DISTINCT FROM kinds.variant AND kinds.last_batch > closed.batch
SEMI JOIN takers
    ON records.plan = takers.plan AND records.meter = takers.meter
    AND records.variant IS NOT DISTINCT FROM takers.variant
LEFT JOIN proved_records AS proved
    ON records.record_id = proved.record_id AND records.account_id = proved.account_id
WHERE records.reason IS NULL AND ($account IS NULL OR records.account_id = $account)
    AND (proved.record_id IS NULL OR proved.last_seen < records.last_seen
        OR coalesce(proved.quantity, 0) < coalesce(records.quantity, 0))
GROUP BY records.account_id, records.meter, records.variant
ORDER BY ALL
