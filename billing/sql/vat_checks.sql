-- The checks of VAT numbers, and the numbers that have none.
SELECT
    account_id, accounts.country, checks.vat_number, checks.checked_on, checks.reference, checks.who,
    CASE
        WHEN vat_key(accounts.vat_number) = vat_key(checks.vat_number) THEN 'current' ELSE 'former'
    END AS state
FROM accounts INNER JOIN vat_checks AS checks USING (account_id)
WHERE $account IS NULL OR account_id = $account
UNION ALL
SELECT account_id, country, vat_number, NULL, NULL, NULL, 'unchecked'
FROM accounts ANTI JOIN vat_checked USING (account_id)
WHERE vat_number IS NOT NULL AND ($account IS NULL OR account_id = $account)
ORDER BY account_id, checked_on, reference
