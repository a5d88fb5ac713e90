DELETE FROM horizons h USING positions p
WHERE p.log = h.log AND p.topic = h.topic AND p."partition" = h."partition" AND p.next >= h."end"
