-- The rates that a record's stretch, meter and variant lead to, as lists: in 64 bits, for records
-- whose every value is up to `cap64`, and in 128. Quantum is null where a line's records are not
-- rounded each by itself.
CREATE OR REPLACE TEMP TABLE kind_rates AS
SELECT
    taken.stretch, taken.meter, taken.variant, min(cap64) AS cap64,
    list({
        'rate': rate, 'is_peak': measure = 'peak', 'of_duration': of_duration,
        'of_quantity': of_quantity, 'of_count': of_count, 'cap': cap, 'grains': grains64,
        'bias': bias64, 'quantum': CASE WHEN scope = 'record' THEN quantum64 END,
        'minimum': minimum64
    } ORDER BY rate) AS narrow,
    list({
        'rate': rate, 'is_peak': measure = 'peak', 'of_duration': of_duration,
        'of_quantity': of_quantity, 'of_count': of_count, 'cap': cap, 'grains': grains,
        'bias': bias, 'quantum': CASE WHEN scope = 'record' THEN quantum END,
        'minimum': minimum
    } ORDER BY rate) AS wide
FROM taken INNER JOIN rates USING (rate)
GROUP BY taken.stretch, taken.meter, taken.variant
