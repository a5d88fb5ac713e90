-- What kinds of records each stretch has: which charges take them is asked once for each kind.
SELECT DISTINCT stretch, meter, variant FROM placed_records
