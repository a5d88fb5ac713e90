-- Of a server that is listed a CLOSE is not enough: it must be heard at the end or later.
INSERT INTO gate_gaps BY NAME
SELECT
    p.start_us, p.end_us, 'SERVER_SILENT' AS code, 'server ' || l.server_id AS place,
    'is expected and was '
    || coalesce(
        'last heard at ' || utc(h.beat_us) || ', not at ' || utc(p.end_us) || ' or later',
        'never heard'
    )
    || CASE WHEN h.is_replayed THEN ' (what `emit` tells in its name is not its word)' ELSE '' END
    || ': bring its journal in by `forward` and `consume`, or'
    || ' `homemeeting server retire ' || l.server_id || ' --on DATE --reason R`' AS message,
    l.server_id,
    r.server_id IS NOT NULL AND r.from_us < p.end_us
        AND coalesce(h.heard_us, 0) < r.silent_us AS settled
FROM gate_periods p
CROSS JOIN gate_listed l
LEFT JOIN gate_heard h ON h.server_id = l.server_id
LEFT JOIN gate_retired r ON r.server_id = l.server_id
WHERE coalesce(h.beat_us, 0) < p.end_us
