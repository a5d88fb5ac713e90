-- What kinds of records there are: by stretch, meter and variant, and by whether they start in the
-- stretch and are open in it. Each with the rates that take it, and how it is rounded where a line's
-- records are rounded each by itself: in 64 bits, for records whose every value is up to `cap64`,
-- and in 128. `slots` tells of each rate which of the roundings it has, from 1; without one it is 0.
-- Numbered in the order of the document: a record open in several stretches has a row in each.
CREATE OR REPLACE TEMP TABLE kinds AS
WITH places AS (
    FROM (VALUES (TRUE, TRUE), (TRUE, FALSE), (FALSE, TRUE)) AS places(starts_here, is_open)
),

found AS (
    SELECT
        taken.stretch, taken.meter, taken.variant, places.starts_here, places.is_open, rates.*
        EXCLUDE (stretch, variant), rates.scope = 'record' AS is_rounded,
        row_number() OVER (
            PARTITION BY
                taken.stretch, taken.meter, taken.variant, places.starts_here, places.is_open,
                is_rounded
            ORDER BY rates.rate
        ) AS slot
    FROM taken
    INNER JOIN rates USING (rate)
    INNER JOIN places
        ON CASE WHEN rates.measure = 'peak' THEN places.is_open ELSE places.starts_here END
)

SELECT
    (row_number() OVER (ORDER BY min(rate)) - 1)::INTEGER AS kind, stretch, meter, variant,
    starts_here, is_open,
    min(cap64) AS cap64, list(rate ORDER BY rate) AS rates,
    list(CASE WHEN is_rounded THEN slot ELSE 0 END ORDER BY rate) AS slots,
    coalesce(list({
        'of_duration': of_duration, 'of_quantity': of_quantity, 'cap': cap,
        'grains': grains64, 'bias': bias64, 'quantum': quantum64, 'minimum': minimum64
    } ORDER BY rate) FILTER (is_rounded), []) AS narrow,
    coalesce(list({
        'of_duration': of_duration, 'of_quantity': of_quantity, 'cap': cap,
        'grains': grains, 'bias': bias, 'quantum': quantum, 'minimum': minimum
    } ORDER BY rate) FILTER (is_rounded), []) AS wide
FROM found
GROUP BY stretch, meter, variant, starts_here, is_open
