CREATE OR REPLACE TEMP TABLE gate_retired AS
SELECT
    server_id, epoch_us(retired_on::TIMESTAMP) AS from_us,
    epoch_us(retired_on + to_days(1)) AS silent_us
FROM retired_servers
