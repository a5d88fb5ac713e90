-- By name: a field that a newer contract adds is no column until a migration makes it one.
INSERT INTO quality_samples BY NAME
SELECT
    source, sequence, record_id, account_id, meeting_id, server_id, server_version, region, client,
    network, sampled_at, interval_s, rtt_ms, jitter_ms, packets_received, packets_lost,
    bitrate_bps, frozen_ms, join_ms
FROM fresh_quality
WHERE sampled_at >= (SELECT first_day FROM samples_kept)
