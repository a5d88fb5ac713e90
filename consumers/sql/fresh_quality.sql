-- A join, not a semi join: that would build its table from the wide side.
CREATE OR REPLACE TEMP TABLE fresh_quality AS
SELECT q.* REPLACE (
    record_id::UUID AS record_id, make_timestamp(sampled_at) AS sampled_at
)
FROM incoming_quality q
JOIN (SELECT ordinal FROM fresh WHERE topic = 'meetings.quality') f USING (ordinal)
