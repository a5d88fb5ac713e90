INSERT INTO quarantine SELECT * EXCLUDE (replaces) FROM carried
