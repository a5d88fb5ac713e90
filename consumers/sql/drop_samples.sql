DELETE FROM quality_samples WHERE sampled_at < (SELECT first_day FROM samples_kept)
