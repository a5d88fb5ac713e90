-- The sources and topics whose sequences or control totals this batch may have changed.
CREATE OR REPLACE TEMP TABLE touched AS
SELECT topic, source FROM islands
UNION
SELECT total.topic, total.source FROM (SELECT unnest(totals) AS total FROM incoming_heartbeat)
