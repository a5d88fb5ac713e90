-- What kinds of records there are: which charges take them is asked once for each kind and plan.
SELECT DISTINCT meter, variant FROM near_records
