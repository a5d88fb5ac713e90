DELETE FROM horizons h WHERE NOT EXISTS (
    FROM promises p
    WHERE p.horizon = h.horizon AND p.topic = h.topic
        AND (h.log <> 'journal' OR h."partition" = p.source)
)
