-- Sources of a server with something to let go, that were not heard after a day.
SELECT count(*)
FROM gate_told
WHERE server_id = $server_id AND (state IN ('open', 'unheard') OR lost > 0 OR in_flight > 0)
    AND coalesce(greatest(beat_us, settled_us), $heard_us) < $silent_us
