-- The identities of every record_id that has several uncancelled ones.
WITH several AS (
    SELECT record_id FROM usage_records WHERE NOT cancelled
    GROUP BY record_id HAVING count(*) > 1
)

SELECT
    record_id::VARCHAR AS record_id,
    sha256(concat_ws(
        chr(31), record_id, epoch_us(started_at), account_id, meeting_id,
        coalesce(participant_id, chr(30)), meter, coalesce(variant, chr(30))
    ))[:12] AS hash,
    started_at, last_seen, account_id, meeting_id, participant_id, meter, variant
FROM usage_records
WHERE NOT cancelled AND record_id IN (SELECT record_id FROM several)
