CREATE OR REPLACE TEMP TABLE gate_retired AS
SELECT
    server_id, epoch_us(retired_on::TIMESTAMP) AS from_us,
    epoch_us(retired_on + INTERVAL 1 DAY) AS silent_us
FROM retired_servers
