-- The near records that have several identities, near or not.
CREATE OR REPLACE TEMP TABLE conflicts AS
SELECT record_id FROM conflicting_records
