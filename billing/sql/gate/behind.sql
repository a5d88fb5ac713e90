-- A promise of what is yet to come is of a clock that runs ahead and is none.
INSERT INTO gate_gaps BY NAME
SELECT
    start_us, end_us, 'SERVER_BEHIND' AS code, 'source ' || source AS place,
    CASE
        WHEN watermark_us IS NULL THEN 'has told no heartbeat yet'
        WHEN watermark_us <= 31536000000000 THEN 'promises nothing before it is closed'
        WHEN watermark_us > $latest_us
            THEN 'has a clock that runs ahead and told all up to ' || utc(watermark_us)
        ELSE 'has told all only up to ' || utc(watermark_us) || ', not up to ' || utc(end_us)
    END
    || ': bring its journal in by `forward` and `consume`, start the server again where it was'
    || ' killed, or `homemeeting server retire ' || server_id || ' --on DATE --reason R`'
    AS message,
    server_id, retired AS settled
FROM gate_sources
WHERE state IN ('open', 'unheard')
    AND (coalesce(watermark_us, 0) < end_us OR watermark_us > $latest_us)
