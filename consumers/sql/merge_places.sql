MERGE INTO more_places m
USING touched_places t ON m.record_id = t.record_id AND m.place = t.place
WHEN MATCHED THEN UPDATE SET first_offset = t.first_offset, last_offset = t.last_offset
WHEN NOT MATCHED THEN INSERT VALUES (t.record_id, t.place, t.first_offset, t.last_offset)
