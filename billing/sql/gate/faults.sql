-- Said once for all periods: as the last of them has it.
SELECT code, place, arg_max(message, end_us) AS message
FROM gaps_found
GROUP BY code, place
ORDER BY code, place
