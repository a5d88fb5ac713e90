-- Down to the highest hole that is left, so that a rebuild, whose batches differ, ends the same.
UPDATE proven SET last = h.last
FROM highest_holes h
WHERE h.topic = proven.topic AND h.source = proven.source AND h.last < proven.last
