-- A row whose account or start cannot be read may be of any, but of no time after it came.
INSERT INTO gate_gaps BY NAME
SELECT
    p.start_us, p.end_us, q.account_id, 'QUARANTINE_OPEN' AS code, 'quarantine ' || q.id AS place,
    q.code || CASE WHEN q.topic = 'meetings.usage' THEN '' ELSE ' of a heartbeat' END
    || ', came at ' || utc(q.arrived_us) || ', may be of this period: `homemeeting quarantine show '
    || q.id || '`, then `quarantine retry ' || q.id || '` or `quarantine dismiss ' || q.id
    || ' --reason R`' AS message,
    q.id AS quarantine_id, q.state = 'dismissed' AS settled
FROM gate_periods p
JOIN told_quarantine q
    ON CASE
        WHEN q.started_us IS NULL THEN p.start_us < q.arrived_us
        ELSE q.started_us >= p.start_us AND q.started_us < p.end_us
    END
