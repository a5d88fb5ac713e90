-- What is chargeable of a value, in its own type: whole numbers in, whole numbers out. With the bias
-- added, rounding down is rounding as asked. Zero stays zero whatever the minimum.
CREATE OR REPLACE TEMP MACRO round_to(value, bias, quantum, minimum) AS
greatest(sign(value) * minimum, (value + bias) // quantum * quantum)
