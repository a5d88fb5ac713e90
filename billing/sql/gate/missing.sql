-- A hole has no time of its own, only its source's: it may lie wherever that was observing. What was
-- accepted is older than the acceptance. Of heartbeats the next tells all again; a source that was
-- settled has none, and what it refused last may be told in the missing one alone.
INSERT INTO gate_gaps BY NAME
WITH stretches AS (
    SELECT
        h.topic, h.source, h.state, h.first, h.last, min(a.until_us) AS accepted_us,
        CASE WHEN h.first = h.last THEN '' || h.first ELSE h.first || ' to ' || h.last END AS told
    FROM told_holes h
    LEFT JOIN accepted_holes a
        ON a.topic = h.topic AND a.source = h.source AND a.first <= h.first AND h.last <= a.last AND h.state = 'lost'
    GROUP BY ALL
),
found AS (
    SELECT
        s.start_us, s.end_us, s.source, s.server_id, s.retired, t.topic, t.state,
        count(*) AS stretches,
        list(t.told ORDER BY t.first) AS told
    FROM gate_sources s
    JOIN stretches t ON t.source = s.source
    WHERE (t.topic = 'meetings.usage' OR s.state = 'settled')
        AND coalesce(s.until_us >= s.start_us, true) AND coalesce(t.accepted_us >= s.start_us, true)
    GROUP BY ALL
)
SELECT
    start_us, end_us, CASE state WHEN 'lost' THEN 'USAGE_MISSING' ELSE 'USAGE_IN_FLIGHT' END AS code,
    'source ' || source AS place,
    CASE topic WHEN 'meetings.usage' THEN 'usage ' ELSE 'heartbeat ' END || array_to_string(told[1:3], ', ')
    || CASE WHEN stretches > 3 THEN ' and ' || (stretches - 3) || ' more stretches' ELSE '' END
    || CASE state
        WHEN 'lost' THEN
            ' is not in the log: look in the journal of ' || server_id
            || ' and `homemeeting forward` it again, or close with `--accept-incomplete "reason"`'
        ELSE ' is promised and was not read yet: `homemeeting consume --once`'
    END AS message,
    server_id, retired AS settled
FROM found
