INSERT INTO additions
SELECT any_value(batch), 'quarantine', count(*) FROM carried WHERE replaces IS NULL
HAVING count(*) > 0
