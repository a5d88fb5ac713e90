-- The usage store: what the projector derives from the log. Times are UTC; no keys are declared,
-- so that the same statements run on DuckLake; `verify` proves uniqueness instead.

-- Where each partition of each log goes on, and every commit that moved it.
CREATE TABLE positions (log VARCHAR, topic VARCHAR, "partition" VARCHAR, next BIGINT);
CREATE TABLE batches (
    batch BIGINT, log VARCHAR, topic VARCHAR, "partition" VARCHAR,
    start BIGINT, next BIGINT, events BIGINT, quarantined BIGINT
);

-- The set of sequences applied, as disjoint, not adjacent, closed intervals.
CREATE TABLE sequences (topic VARCHAR, source VARCHAR, first BIGINT, last BIGINT);

CREATE TABLE quarantine (
    id BIGINT, log VARCHAR, topic VARCHAR, "partition" VARCHAR, "offset" BIGINT,
    payload BLOB, sha256 VARCHAR, source VARCHAR, sequence BIGINT,
    code VARCHAR, reason VARCHAR, state VARCHAR, arrived_at TIMESTAMP, batch BIGINT
);

-- One row per identity: (record_id, started_at, account, meeting, participant, meter, variant).
CREATE TABLE usage_records (
    record_id UUID, started_at TIMESTAMP, account_id VARCHAR, meeting_id VARCHAR,
    participant_id VARCHAR, meter VARCHAR, variant VARCHAR,
    last_seen TIMESTAMP, stopped BOOLEAN, cancelled BOOLEAN, quantity BIGINT, continues UUID
);
CREATE TABLE usage_daily (
    day DATE, account_id VARCHAR, meter VARCHAR, variant VARCHAR,
    records BIGINT, duration_us HUGEINT, quantity HUGEINT, last_batch BIGINT
);

-- Quality: only integers and bucket counts are added, so any order gives the same sums.
CREATE TABLE quality_samples (
    source VARCHAR, sequence BIGINT, record_id UUID, account_id VARCHAR, meeting_id VARCHAR,
    server_id VARCHAR, server_version VARCHAR, region VARCHAR, client VARCHAR, network VARCHAR,
    sampled_at TIMESTAMP, interval_s BIGINT, rtt_ms DOUBLE, jitter_ms DOUBLE,
    packets_received BIGINT, packets_lost BIGINT, bitrate_bps BIGINT, frozen_ms BIGINT,
    join_ms BIGINT
);
CREATE TABLE quality_hourly (
    hour TIMESTAMP, region VARCHAR, server_id VARCHAR, server_version VARCHAR, client VARCHAR,
    network VARCHAR, samples HUGEINT, poor HUGEINT, interval_s HUGEINT, packets_received HUGEINT,
    packets_lost HUGEINT, frozen_ms HUGEINT, cell BIGINT
);
-- DDSketch, 1 % relative error; bucket is null for values of zero. A cell is a row of
-- quality_hourly, numbered in this store alone; its buckets are as many as its samples, so they
-- are kept narrow and read through the view.
CREATE TABLE sketch_buckets (cell BIGINT, metric VARCHAR, bucket INTEGER, samples BIGINT);
CREATE VIEW quality_sketch AS
SELECT hour, region, server_id, server_version, client, network, metric, bucket,
    b.samples::HUGEINT AS samples
FROM quality_hourly h
JOIN sketch_buckets b ON b.cell = h.cell;
CREATE TABLE server_hourly (
    hour TIMESTAMP, region VARCHAR, server_id VARCHAR, version VARCHAR, samples HUGEINT,
    meetings_max BIGINT, participants_max BIGINT, capacity_max BIGINT, egress_bps_max BIGINT,
    cpu_max DOUBLE, memory_max DOUBLE
);

-- What sources say of themselves: the heartbeat with the greatest sequence, the control totals,
-- who settled an unclosed source, and when each count of refusals was first told.
CREATE TABLE source_state (
    source VARCHAR, server_id VARCHAR, sequence BIGINT, phase VARCHAR, beat_at TIMESTAMP,
    watermark TIMESTAMP
);
CREATE TABLE source_totals (source VARCHAR, topic VARCHAR, last BIGINT);
CREATE TABLE settlements (source VARCHAR, settled_by VARCHAR);
CREATE TABLE refusals (source VARCHAR, topic VARCHAR, refused BIGINT, first_beat TIMESTAMP);
