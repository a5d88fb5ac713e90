-- Months that are not over, or not in turn, nobody could close yet.
INSERT INTO left_open
SELECT account_id, $month AS month, code FROM kept_out
UNION
SELECT account_id, $month AS month, code FROM blocked
WHERE code NOT IN ('PERIOD_OPEN', 'MONTH_ORDER')
