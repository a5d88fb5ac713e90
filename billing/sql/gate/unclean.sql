-- Sources of the periods that were never closed: a later opening says up to where they wrote.
SELECT DISTINCT source, server_id, until_us
FROM gate_sources
WHERE state = 'settled' AND until_us >= start_us
ORDER BY source
