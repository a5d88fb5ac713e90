-- An account's credits with what is left of each, in the order in which they are drawn.
SELECT credit, reference, amount, received_us, expires, left_over
FROM prepaid_left WHERE account_id = $account
ORDER BY expires, received_us, credit
