SELECT bool_or(scattered) FROM touched_records
