-- Usage that is promised, not there, and that no quarantine row explains.
SELECT source, first, last, state
FROM holes
WHERE topic = 'meetings.usage' AND state IN ('lost', 'in_flight')
