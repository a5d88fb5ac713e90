DELETE FROM quarantine WHERE id IN (SELECT replaces FROM carried WHERE replaces IS NOT NULL)
