-- Every server that somebody has heard of, lists or has retired. The watermark is the lowest of the
-- sources that are open, for that is what a period waits for.
WITH sources AS (
    SELECT
        server_id, max(beat_us) AS beat_us,
        coalesce(min(watermark_us) FILTER (state = 'open'), max(watermark_us)) AS watermark_us,
        count(*) FILTER (state = 'open') AS open, count(*) FILTER (state = 'unheard') AS unheard,
        sum(lost)::HUGEINT AS lost, sum(in_flight)::HUGEINT AS in_flight
    FROM gate_told
    GROUP BY server_id
),
refused AS (
    SELECT s.server_id, sum(r.refused)::HUGEINT AS refused
    FROM told_refusals r JOIN gate_told s ON s.source = r.source
    GROUP BY s.server_id
),
names AS (
    SELECT server_id FROM sources
    UNION SELECT server_id FROM gate_listed
    UNION SELECT server_id FROM gate_retired
)
SELECT
    n.server_id, l.server_id IS NOT NULL AS listed, s.server_id IS NOT NULL AS heard,
    coalesce(h.heard_us, 0) >= g.silent_us AS heard_again, h.heard_us, s.beat_us, s.watermark_us,
    coalesce(s.open, 0) AS open, coalesce(s.unheard, 0) AS unheard, coalesce(s.lost, 0) AS lost,
    coalesce(s.in_flight, 0) AS in_flight, coalesce(f.refused, 0) AS refused,
    r.retired_on, r.reason
FROM names n
LEFT JOIN sources s ON s.server_id = n.server_id
LEFT JOIN gate_heard h ON h.server_id = n.server_id
LEFT JOIN refused f ON f.server_id = n.server_id
LEFT JOIN gate_listed l ON l.server_id = n.server_id
LEFT JOIN gate_retired g ON g.server_id = n.server_id
LEFT JOIN retired_servers r ON r.server_id = n.server_id
ORDER BY n.server_id
