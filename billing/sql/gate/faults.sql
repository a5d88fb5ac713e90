-- Said once for all periods: as the last of them has it. Rows of the quarantine may be thousands, which
-- would hide all else: the first of them stand for the rest.
WITH faults AS (
    SELECT
        code, place, arg_max(message, end_us) AS message,
        row_number() OVER (PARTITION BY code ORDER BY length(place), place) AS nth
    FROM gaps_found
    GROUP BY code, place
),

ours AS (SELECT *, code = 'QUARANTINE_OPEN' AND nth > 20 AS is_rest FROM faults)

SELECT code, place, message FROM (
    SELECT code, place, message, nth FROM ours WHERE NOT is_rest
    UNION ALL
    SELECT
        code, 'quarantine …' AS place,
        'and ' || count(*) || ' more: `homemeeting quarantine list`; all that have one code are given up'
        || ' by `quarantine dismiss --code CODE --reason R`' AS message,
        max(nth) AS nth
    FROM ours WHERE is_rest
    GROUP BY code
)
ORDER BY code, nth
