-- An end that the log no longer has is never reached: its topic was made anew before it was read, a
-- journal was restored from an older copy, or it belongs to another log than the one now read.
UPDATE promises p SET horizon = NULL
WHERE EXISTS (
    FROM horizons h
    WHERE h.horizon = p.horizon AND h.topic = p.topic
        AND (h.log <> 'journal' OR h."partition" = p.source)
        AND NOT EXISTS (
            FROM log_ends e
            WHERE e.log = h.log AND e.topic = h.topic AND e."partition" = h."partition"
                AND e."end" >= h."end"
        )
)
