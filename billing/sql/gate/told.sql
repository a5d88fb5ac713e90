-- Asked once: the views behind it take long to plan. A beat that is yet to come
-- is of a clock that runs ahead: nobody knows when it was.
CREATE OR REPLACE TEMP TABLE gate_told AS
SELECT * REPLACE (CASE WHEN beat_us <= $latest_us THEN beat_us END AS beat_us)
FROM told_sources
