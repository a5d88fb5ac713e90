UPDATE quarantine SET id = id + (SELECT coalesce(max(id), 0) FROM old.quarantine)
