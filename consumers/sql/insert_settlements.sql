INSERT INTO settlements
SELECT DISTINCT total.source, h.source
FROM (SELECT source, unnest(totals) AS total FROM incoming_heartbeat WHERE phase = 'OPEN') h
WHERE total.source <> h.source
EXCEPT
SELECT source, settled_by FROM settlements
