INSERT INTO additions
SELECT $batch, 'usage_records', count(*) FROM touched_records WHERE NOT known HAVING count(*) > 0
