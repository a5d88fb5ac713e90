-- No batch applied more events of a topic than it read; retries are no batches.
WITH events AS (SELECT batch, topic AS what, sum(events) AS events FROM batches GROUP BY ALL)
SELECT count(*) FROM (SELECT batch, what, sum(added) AS added FROM additions GROUP BY ALL) a
JOIN events e USING (batch, what)
WHERE a.added > e.events
