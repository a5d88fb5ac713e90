DELETE FROM promises p USING proven v
WHERE v.topic = p.topic AND v.source = p.source AND v.last >= p.last
