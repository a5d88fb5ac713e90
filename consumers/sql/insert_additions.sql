INSERT INTO additions
SELECT $batch, topic, count(*) FROM fresh GROUP BY topic
UNION ALL
SELECT $batch, 'quarantine', $quarantined WHERE $quarantined > 0
