-- What a record comes to before it is rounded, in the charge's smallest whole: microseconds or
-- the meter's own units. Of the two, what is measured is taken once and the other not at all: without
-- a branch it is fast in lists too. Of what is only counted it is zero.
CREATE OR REPLACE TEMP MACRO value_of(duration_us, of_duration, quantity, of_quantity) AS
duration_us * of_duration + coalesce(quantity, 0) * of_quantity
