-- When each server was last heard. Who replays the past in a server's name promises nothing before
-- its end, since 1971: it speaks for the server only where that has never spoken itself, or whoever
-- emits a file would vouch for a server that fell silent. Of a source whose first heartbeat was not
-- read nobody knows which it is; a replay tells of no time after its last event.
CREATE OR REPLACE TEMP TABLE gate_heard AS
WITH spoken AS (
    SELECT
        server_id, settled_us, beat_us, since_us > 31536000000000 AS is_itself,
        CASE
            WHEN since_us > 31536000000000 THEN beat_us
            -- A beat that is yet to come is none, whatever was promised with it.
            WHEN since_us IS NULL AND beat_us IS NOT NULL THEN least(beat_us, watermark_us)
        END AS own_us
    FROM gate_told
),
heard AS (
    SELECT
        server_id, max(beat_us) AS told_us, max(settled_us) AS settled_us,
        CASE WHEN bool_or(is_itself) THEN max(own_us) ELSE max(beat_us) END AS beat_us
    FROM spoken
    GROUP BY server_id
)
SELECT
    server_id, beat_us, greatest(beat_us, settled_us) AS heard_us, told_us > beat_us AS is_replayed
FROM heard
