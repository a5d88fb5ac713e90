-- Each period and the sources it waits for: of servers heard of before its end. No record is longer
-- than 48 hours, so what begins to observe that much later saw none of the period; a restarted
-- server may go on with what it had, so its next source counts until then. A source without `since`
-- may have been there always. `until_us` is the last that a source can have observed, null where
-- that is open. A retirement lets go what was not heard after its day.
CREATE OR REPLACE TEMP TABLE gate_sources AS
WITH heard AS (
    SELECT
        server_id, min(coalesce(since_us, 0)) AS since_us,
        max(greatest(beat_us, settled_us)) AS heard_us
    FROM gate_told
    GROUP BY server_id
)
SELECT
    p.start_us, p.end_us, s.source, s.server_id, s.state, s.since_us, s.watermark_us,
    CASE s.state
        WHEN 'closed' THEN s.watermark_us
        WHEN 'settled' THEN greatest(s.settled_us, s.beat_us, s.watermark_us)
    END AS until_us,
    r.server_id IS NOT NULL AND r.from_us < p.end_us
        AND coalesce(greatest(s.beat_us, s.settled_us), h.heard_us, 0) < r.silent_us AS retired
FROM gate_periods p
CROSS JOIN gate_told s
JOIN heard h ON h.server_id = s.server_id
LEFT JOIN gate_retired r ON r.server_id = s.server_id
WHERE h.since_us < p.end_us AND coalesce(s.since_us, 0) < p.end_us + 172800000000
