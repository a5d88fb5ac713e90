-- Gaps and islands over the stored intervals of the batch's sources and the runs of fresh numbers:
-- within a run a number and its place grow alike.
CREATE OR REPLACE TEMP TABLE islands AS
WITH placed AS (
    SELECT topic, source, sequence,
        sequence - row_number() OVER (PARTITION BY topic, source ORDER BY sequence) AS run
    FROM fresh
),
runs AS (
    SELECT topic, source, min(sequence) AS first, max(sequence) AS last
    FROM placed GROUP BY topic, source, run
),
pieces AS (
    FROM runs
    UNION ALL
    SELECT topic, source, first, last FROM sequences
    WHERE (topic, source) IN (SELECT (topic, source) FROM runs)
),
marked AS (
    SELECT *, coalesce(first - 1 > max(last) OVER (
        PARTITION BY topic, source ORDER BY first
        ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    ), true) AS opens  -- count_if over nothing but NULL is NULL, not zero
    FROM pieces
),
numbered AS (
    SELECT *, count_if(opens) OVER (PARTITION BY topic, source ORDER BY first) AS island
    FROM marked
)
SELECT topic, source, min(first) AS first, max(last) AS last
FROM numbered
GROUP BY topic, source, island
