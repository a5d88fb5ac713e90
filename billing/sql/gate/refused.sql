-- Refused after the beat `after_us` and before that of `told_us`. Who replays the past promises
-- nothing before its end, since 1971: what it refused may be of any time.
INSERT INTO gate_gaps BY NAME
SELECT
    s.start_us, s.end_us, 'USAGE_REFUSED' AS code, 'source ' || s.source AS place,
    sum(r.refused) || CASE WHEN sum(r.refused) = 1 THEN ' event' ELSE ' events' END
    || ' of usage found no room, told at ' || utc(max(r.told_us))
    || ': nothing brings them back; close with `--accept-incomplete "reason"`' AS message,
    s.server_id, s.retired AS settled
FROM gate_sources s
JOIN told_refusals r ON r.source = s.source
WHERE r.told_us >= s.start_us
    AND (coalesce(s.since_us, 0) <= 31536000000000 OR coalesce(r.after_us, s.since_us) < s.end_us)
GROUP BY s.start_us, s.end_us, s.source, s.server_id, s.retired
