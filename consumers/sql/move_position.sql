UPDATE positions SET next = $next
WHERE log = $log AND topic = $topic AND "partition" = $partition AND next = $start
RETURNING next
