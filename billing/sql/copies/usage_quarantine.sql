SELECT id FROM quarantine WHERE state = 'open'
