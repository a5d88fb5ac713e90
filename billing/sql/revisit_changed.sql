INSERT INTO revisits
SELECT account_id, month, 'plan' FROM changed_months
WHERE NOT is_ahead AND (account_id, month) NOT IN (
    SELECT (account_id, month) FROM revisits WHERE reason = 'plan'
)
