SELECT count(*) FROM (
    FROM sequences
    SELECT first, last, lag(last) OVER (PARTITION BY topic, source ORDER BY first) AS before
    QUALIFY before >= first - 1 OR last < first
)
