INSERT INTO sequences SELECT topic, source, first, last FROM islands
