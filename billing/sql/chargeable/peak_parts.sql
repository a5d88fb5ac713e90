-- The parts of 2^$bits lines into which the sweep goes.
SELECT DISTINCT line >> $bits FROM peak_lines
