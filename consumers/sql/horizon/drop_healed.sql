DELETE FROM promises p USING highest_holes h
WHERE h.topic = p.topic AND h.source = p.source AND (
    h.last IS NULL
    OR EXISTS (FROM proven v WHERE v.topic = h.topic AND v.source = h.source AND v.last >= h.last)
)
