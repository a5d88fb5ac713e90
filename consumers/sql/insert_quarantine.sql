-- A second copy of the same bytes on the same topic adds nothing.
INSERT INTO quarantine
SELECT
    (SELECT coalesce(max(id), 0) FROM quarantine) + row_number() OVER (ORDER BY ordinal),
    log, topic, "partition", "offset", payload, sha256, source, sequence, code, reason, 'open',
    make_timestamp(arrived_us), $batch, account_id, make_timestamp(started_us), NULL, NULL, NULL
FROM (
    SELECT * FROM incoming_quarantine
    QUALIFY row_number() OVER (PARTITION BY topic, sha256 ORDER BY ordinal) = 1
) i
WHERE NOT EXISTS (FROM quarantine q WHERE q.topic = i.topic AND q.sha256 = i.sha256)
