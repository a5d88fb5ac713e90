SELECT source, topic, refused, first_beat, last_beat, sum(side)::BIGINT AS times
FROM (
    SELECT *, 1 AS side FROM old.refusals
    UNION ALL BY NAME
    SELECT *, -1 AS side FROM refusals
)
GROUP BY ALL
HAVING sum(side) <> 0
