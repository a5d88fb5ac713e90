SELECT * EXCLUDE (side), sum(side)::BIGINT AS times
FROM (
    SELECT source, topic, refused, first_beat, last_beat,
        1 AS side
    FROM old.refusals
    UNION ALL
    SELECT source, topic, refused, first_beat, last_beat,
        -1
    FROM refusals
)
GROUP BY ALL
HAVING sum(side) <> 0
