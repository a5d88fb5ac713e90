-- What was decided about a row stays decided, and it keeps its number: evidence names it. An open
-- row that the replay could apply is no longer one.
CREATE OR REPLACE TEMP TABLE carried AS
SELECT o.* REPLACE (coalesce(q.batch, (SELECT max(batch) FROM batches)) AS batch), q.id AS replaces
FROM old.quarantine o
LEFT JOIN quarantine q ON q.topic = o.topic AND q.sha256 = o.sha256
WHERE q.id IS NOT NULL OR o.state <> 'open'
