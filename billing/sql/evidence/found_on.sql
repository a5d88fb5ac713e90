-- For each of these rates the number of its line, where the record is on it, and what is chargeable of
-- the record there, in the numbers' own type.
CREATE OR REPLACE TEMP MACRO found_on(
    rates, on_lines, starts_here, is_open, duration_us, quantity, begun
) AS
list_transform(rates, lambda one: {
    'line': CASE WHEN CASE WHEN one.is_peak THEN is_open ELSE starts_here END
        THEN list_position(on_lines, one.rate) END,
    'chargeable': CASE WHEN one.quantum IS NOT NULL THEN round_to(
        least(one.cap, value_of(
            duration_us, one.of_duration, quantity, one.of_quantity, begun, one.of_count
        )) * one.grains,
        one.bias, one.quantum, begun * one.minimum
    )::VARCHAR END
})
