INSERT INTO batches
SELECT $batch, log, topic, "partition", start, next, events, damages
FROM incoming_slices
ORDER BY ordinal
