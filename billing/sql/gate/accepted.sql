-- The gaps as they are told, with the account, where each is of one alone.
SELECT
    code, place, arg_max(message, end_us) AS message,
    CASE WHEN count(account_id) = count(*) AND min(account_id) = max(account_id)
        THEN min(account_id) END AS account_id
FROM gaps_found
GROUP BY code, place
ORDER BY code, place
