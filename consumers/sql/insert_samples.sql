INSERT INTO quality_samples BY NAME SELECT * EXCLUDE (ordinal) FROM fresh_quality
