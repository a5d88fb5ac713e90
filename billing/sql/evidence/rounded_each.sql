-- What is chargeable of a record by each of these roundings, in the numbers' own type.
CREATE OR REPLACE TEMP MACRO rounded_each(roundings, duration_us, quantity, begun) AS
list_transform(roundings, lambda one: round_to(
    least(one.cap, value_of(duration_us, one.of_duration, quantity, one.of_quantity)) * one.grains,
    one.bias, one.quantum, begun * one.minimum
)::VARCHAR)
