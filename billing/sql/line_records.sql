-- Which record each line rates: the one join of usage and charges. A line is an account's, of one
-- rate. What can be is rounded in 64 bits, which is five times as fast. A peak takes what was open
-- at some instant, all else what started here.
CREATE OR REPLACE TEMP VIEW line_records AS
SELECT
    placed_records.*, rates.rate, rates.measure, rates.grouping,
    value_of(duration_us, of_duration, quantity, of_quantity) AS value,
    CASE WHEN rates.scope = 'record' AND value <= cap64
        THEN round_to(value * grains64, bias64, quantum64, begun * minimum64)
    END AS rounded64,
    CASE WHEN rates.scope = 'record' AND value > cap64
        THEN round_to(least(value, cap) * grains, bias, quantum, begun * minimum)
    END AS rounded128,
    coalesce(rounded64::HUGEINT, rounded128)::VARCHAR AS chargeable,
    value > rates.cap AS beyond
FROM placed_records
INNER JOIN taken
    ON placed_records.stretch = taken.stretch AND placed_records.meter = taken.meter
    AND placed_records.variant IS NOT DISTINCT FROM taken.variant
INNER JOIN rates USING (rate)
WHERE CASE WHEN rates.measure = 'peak' THEN is_open ELSE starts_here END
