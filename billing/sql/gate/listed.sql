CREATE OR REPLACE TEMP TABLE gate_listed AS
SELECT server_id FROM set_servers UNION SELECT server_id FROM expected_servers
