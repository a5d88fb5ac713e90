-- What may belong to the periods at hand, or be open in them: no record is longer than 48 hours.
SELECT
    record_id, started_at, last_seen, account_id, meeting_id, participant_id, meter, variant,
    continues, stopped, quantity,
    (epoch_us(last_seen) - epoch_us(started_at))::BIGINT AS duration_us
FROM usage_records
WHERE NOT cancelled AND started_at >= make_timestamp($from_us)
    AND started_at < make_timestamp($end_us)
