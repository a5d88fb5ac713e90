-- How many kinds of records of this source nobody has asked the plans for yet.
SELECT count(*)
FROM (SELECT DISTINCT meter, variant FROM near_records) AS kinds
ANTI JOIN (SELECT meter, variant FROM takers UNION SELECT meter, variant FROM reasons) AS known
    ON kinds.meter = known.meter AND kinds.variant IS NOT DISTINCT FROM known.variant
