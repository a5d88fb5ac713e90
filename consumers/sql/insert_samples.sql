INSERT INTO quality_samples BY NAME
SELECT * EXCLUDE (ordinal) FROM fresh_quality
WHERE sampled_at >= (SELECT first_day FROM samples_kept)
