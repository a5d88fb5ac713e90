INSERT INTO gate_gaps BY NAME
SELECT
    start_us, end_us, 'GRACE_TIME' AS code, 'period to ' || utc(end_us) AS place,
    'what is late is waited for until ' || utc(end_us + $grace_us)
    || ': close it then, or lower [billing] grace_hours' AS message,
    false AS settled
FROM gate_periods
WHERE $now_us < end_us + $grace_us
