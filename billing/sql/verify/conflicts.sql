-- The records of the source that have several identities.
CREATE OR REPLACE TEMP TABLE conflicts AS
SELECT record_id FROM shared_identities WHERE NOT cancelled GROUP BY record_id HAVING count(*) > 1
