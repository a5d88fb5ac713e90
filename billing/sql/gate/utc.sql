CREATE OR REPLACE TEMP MACRO utc(us) AS
    strftime(make_timestamp(us), '%Y-%m-%d %H:%M:%S')
    || CASE WHEN us % 1000000 = 0 THEN '' ELSE strftime(make_timestamp(us), '.%f') END || ' UTC'
