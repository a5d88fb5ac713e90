CREATE OR REPLACE TEMP TABLE fresh_quality AS
SELECT q.* REPLACE (
    record_id::UUID AS record_id, make_timestamp(sampled_at) AS sampled_at
)
FROM incoming_quality q
SEMI JOIN fresh f ON f.topic = 'meetings.quality' AND f.ordinal = q.ordinal
