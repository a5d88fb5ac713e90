-- One promise at a time: what is promised beyond it waits until it is proven.
INSERT INTO promises
SELECT h.topic, h.source, h.last, NULL
FROM highest_holes h
LEFT JOIN proven v ON v.topic = h.topic AND v.source = h.source
WHERE h.last > coalesce(v.last, 0)
    AND NOT EXISTS (FROM promises p WHERE p.topic = h.topic AND p.source = h.source)
