SELECT t.source, s.server_id, t.topic, t.first, t.last, t.lost AS missing, s.watermark, s.state,
    t.in_flight, t.explained
FROM topic_completeness t
JOIN source_completeness s ON s.source = t.source
ORDER BY t.source, t.topic
