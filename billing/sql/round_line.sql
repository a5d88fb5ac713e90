-- A whole number of the currency's smallest units: the one division and rounding of a line,
-- halves away from zero or to the even.
CREATE OR REPLACE TEMP MACRO round_line(above, below, even) AS
above // below + CASE
    WHEN 2 * abs(above % below) > below
        OR (2 * abs(above % below) = below AND NOT (even AND (above // below) % 2 = 0))
        THEN sign(above)
    ELSE 0
END
