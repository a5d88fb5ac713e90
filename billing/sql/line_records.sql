-- Which record each line rates: the one join of usage and charges. A value is in the charge's
-- smallest whole: microseconds, the meter's own units, or one. A line is an account's, of one rate.
-- What can be is rounded in 64 bits, which is five times as fast. A peak takes what was open at some instant, all else what started here.
CREATE OR REPLACE TEMP VIEW line_records AS
SELECT
    placed_records.*, rates.rate, rates.measure, rates.grouping,
    CASE rates.measure
        WHEN 'duration' THEN duration_us
        WHEN 'count' THEN CASE WHEN continuing THEN 0 ELSE 1 END
        WHEN 'unique' THEN 1
        WHEN 'peak' THEN 1
        ELSE coalesce(quantity, 0)
    END AS value,
    CASE WHEN rates.scope = 'record' AND value <= rates.cap64 THEN round_to(
        value * rates.grains64, rates.mode, rates.quantum64,
        CASE WHEN continuing THEN 0 ELSE rates.minimum64 END
    ) END AS rounded64,
    CASE WHEN rates.scope = 'record' AND value > rates.cap64 THEN round_to(
        least(value, rates.cap) * rates.grains, rates.mode, rates.quantum,
        CASE WHEN continuing THEN 0::HUGEINT ELSE rates.minimum END
    ) END AS rounded128,
    value > rates.cap AS beyond
FROM placed_records
INNER JOIN taken
    ON placed_records.stretch = taken.stretch AND placed_records.meter = taken.meter
    AND placed_records.variant IS NOT DISTINCT FROM taken.variant
INNER JOIN rates USING (rate)
WHERE CASE
    WHEN rates.measure = 'peak'
        THEN greatest(placed_records.started_at, placed_records.start_at)
            < least(placed_records.last_seen, placed_records.end_at)
    ELSE placed_records.starts_here
END
