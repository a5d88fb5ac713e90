-- Months that were to be closed, or were and are void, and are open.
SELECT account_id, month, why
FROM (
    SELECT account_id, month, 'void, and not run again' AS why FROM open_again
    UNION ALL
    SELECT account_id, month, 'left open: ' || string_agg(DISTINCT code, ', ' ORDER BY code) AS why
    FROM left_open WHERE month < $month GROUP BY account_id, month
)
WHERE $everyone OR account_id IN (SELECT unnest($accounts))
ORDER BY account_id, month
