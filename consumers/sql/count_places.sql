INSERT INTO additions
SELECT $batch, 'more_places', count(*) FROM touched_places WHERE NOT known HAVING count(*) > 0
