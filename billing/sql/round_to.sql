-- What is chargeable of a value, in its own type: whole numbers in, whole numbers out. Zero stays
-- zero whatever the minimum.
CREATE OR REPLACE TEMP MACRO round_to(value, how, quantum, minimum) AS
CASE
    WHEN value = 0 THEN 0
    ELSE greatest(minimum, CASE how
        WHEN 'none' THEN value
        WHEN 'down' THEN value // quantum * quantum
        WHEN 'up' THEN (value + quantum - 1) // quantum * quantum
        ELSE (2 * value + quantum) // (2 * quantum) * quantum
    END)
END
