-- Which record each line rates: the one join of usage and charges. A value is in the charge's
-- smallest whole: microseconds, the meter's own units, or one. A line is an account's, of some
-- terms, and where the terms are by variant, of one. What can be is rounded in 64 bits, which is
-- five times as fast. A peak takes what was open at some instant, all else what started here.
CREATE OR REPLACE TEMP VIEW line_records AS
SELECT
    placed_records.*, terms.term, terms.measure, terms.scope, terms.grouping,
    CASE WHEN terms.by_variant THEN placed_records.variant END AS line_variant,
    CASE terms.measure
        WHEN 'duration' THEN duration_us
        WHEN 'count' THEN CASE WHEN continuing THEN 0 ELSE 1 END
        WHEN 'unique' THEN 1
        WHEN 'peak' THEN 1
        ELSE coalesce(quantity, 0)
    END AS value,
    CASE WHEN terms.scope = 'record' AND value <= terms.cap64 THEN round_to(
        value * terms.grains64, terms.mode, terms.quantum64,
        CASE WHEN continuing THEN 0 ELSE terms.minimum64 END
    ) END AS rounded64,
    CASE WHEN terms.scope = 'record' AND value > terms.cap64 THEN round_to(
        least(value, terms.cap) * terms.grains, terms.mode, terms.quantum,
        CASE WHEN continuing THEN 0::HUGEINT ELSE terms.minimum END
    ) END AS rounded128,
    value > terms.cap AS beyond
FROM placed_records
INNER JOIN takes
    ON placed_records.stretch = takes.stretch AND placed_records.meter = takes.meter
    AND placed_records.variant IS NOT DISTINCT FROM takes.variant
INNER JOIN usage_terms AS terms USING (term)
WHERE CASE
    WHEN terms.measure = 'peak'
        THEN greatest(placed_records.started_at, placed_records.start_at)
            < least(placed_records.last_seen, placed_records.end_at)
    ELSE placed_records.starts_here
END
