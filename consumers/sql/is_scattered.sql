SELECT coalesce(bool_or(scattered), false) FROM touched_records
