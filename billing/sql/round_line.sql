-- A whole number of the currency's smallest units: the one division and rounding of a line, halves
-- up or to the even. No line of usage is below zero.
CREATE OR REPLACE TEMP MACRO round_line(above, below, even) AS
above // below + CASE
    WHEN 2 * (above % below) > below
        OR (2 * (above % below) = below AND NOT (even AND (above // below) % 2 = 0))
        THEN 1
    ELSE 0
END
