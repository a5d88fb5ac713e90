SELECT r.server_id, r.retired_on, r.reason, r.who, r.at_us
FROM retired_servers r
WHERE r.server_id IN (SELECT server_id FROM gate_gaps WHERE settled)
ORDER BY r.server_id
