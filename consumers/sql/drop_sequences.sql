DELETE FROM sequences WHERE (topic, source) IN (SELECT (topic, source) FROM islands)
