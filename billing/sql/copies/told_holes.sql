-- What is promised, not there, and that no quarantine row explains: usage, and who told of it.
SELECT topic, source, first, last, state
FROM holes
WHERE topic IN ('meetings.usage', 'sources.heartbeat') AND state IN ('lost', 'in_flight')
