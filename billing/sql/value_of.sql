-- What a record comes to before it is rounded, in the charge's smallest whole: microseconds, the
-- meter's own units, or one. Of the three, what is measured is taken once and the others not at all:
-- without a branch it is fast in lists too.
CREATE OR REPLACE TEMP MACRO value_of(
    duration_us, of_duration, quantity, of_quantity, begun, of_count
) AS
duration_us * of_duration + coalesce(quantity, 0) * of_quantity + begun * of_count
