-- What may belong to the periods at hand, or be open in them: no record is longer than 48 hours. Of
-- periods looked at again, those of the accounts concerned.
WITH near AS (
    FROM usage_records
    WHERE started_at >= make_timestamp($from_us) AND started_at < make_timestamp($end_us)
    UNION ALL
    FROM usage_records
    WHERE started_at >= make_timestamp($old_from_us) AND started_at < make_timestamp($old_end_us)
        AND NOT (started_at >= make_timestamp($from_us) AND started_at < make_timestamp($end_us))
        AND account_id IN (SELECT unnest($old_accounts))
)

SELECT
    record_id, started_at, last_seen, account_id, meeting_id, participant_id, meter, variant,
    continues, stopped, quantity,
    (epoch_us(last_seen) - epoch_us(started_at))::BIGINT AS duration_us
FROM near
WHERE NOT cancelled
