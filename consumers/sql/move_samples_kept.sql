-- Whole days of event time before the batch's day, never falling back with the clock.
UPDATE samples_kept SET first_day = make_timestamp($now_us)::DATE - $days::INTEGER
WHERE first_day < make_timestamp($now_us)::DATE - $days::INTEGER
RETURNING first_day
