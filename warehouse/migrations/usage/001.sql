-- The usage store: what the projector derives from the log. Times are UTC; no keys are declared,
-- so that the same statements run on DuckLake; `verify` proves uniqueness instead.

-- Where each partition of each log goes on, and every commit that moved it.
CREATE TABLE positions (log VARCHAR, topic VARCHAR, "partition" VARCHAR, next BIGINT);
CREATE TABLE batches (
    batch BIGINT, log VARCHAR, topic VARCHAR, "partition" VARCHAR,
    start BIGINT, next BIGINT, events BIGINT, quarantined BIGINT
);

-- How many each commit added, retries too: events of a topic whose sequences were new, identities
-- to `usage_records`, rows to `more_places` and `quarantine`. The tables are held to it by the invariants.
CREATE TABLE additions (batch BIGINT, what VARCHAR, added BIGINT);

-- The set of sequences applied, as disjoint, not adjacent, closed intervals.
CREATE TABLE sequences (topic VARCHAR, source VARCHAR, first BIGINT, last BIGINT);

-- What is promised and not there, where it may still come: a hole is in flight until every position
-- of its horizon is reached, then proven. `last` is the end of the highest hole meant; one promise
-- per source and topic. A promise without horizon waits for the log to be asked for its ends;
-- a horizon holds those ends alone that positions have not reached. All three are empty where
-- nothing is missing.
CREATE TABLE promises (topic VARCHAR, source VARCHAR, last BIGINT, horizon BIGINT);
CREATE TABLE horizons (
    horizon BIGINT, log VARCHAR, topic VARCHAR, "partition" VARCHAR, "end" BIGINT
);
CREATE TABLE proven (topic VARCHAR, source VARCHAR, last BIGINT);

-- `account_id` and `started_at` are of usage that could be read and broke a rule, where the rule was
-- not theirs: whose bill it touches, and which. Who gave a row up, when and why, stands beside it.
CREATE TABLE quarantine (
    id BIGINT, log VARCHAR, topic VARCHAR, "partition" VARCHAR, "offset" BIGINT,
    payload BLOB, sha256 VARCHAR, source VARCHAR, sequence BIGINT,
    code VARCHAR, reason VARCHAR, state VARCHAR, arrived_at TIMESTAMP, batch BIGINT,
    account_id VARCHAR, started_at TIMESTAMP,
    dismissed_by VARCHAR, dismissed_at TIMESTAMP, dismissal VARCHAR
);

-- One row per identity: (record_id, started_at, account, meeting, participant, meter, variant).
-- Its place is the stretch of one partition in which its events lie; of others see `more_places`.
CREATE TABLE usage_records (
    record_id UUID, started_at TIMESTAMP, account_id VARCHAR, meeting_id VARCHAR,
    participant_id VARCHAR, meter VARCHAR, variant VARCHAR,
    last_seen TIMESTAMP, stopped BOOLEAN, cancelled BOOLEAN, quantity BIGINT, continues UUID,
    place INTEGER, first_offset BIGINT, last_offset BIGINT
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
-- One row: raw samples of earlier UTC days are gone, and late ones are not kept. It never falls.
CREATE TABLE samples_kept (first_day DATE);
INSERT INTO samples_kept VALUES (DATE '1970-01-01');
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

-- What sources say of themselves: the heartbeat with the greatest sequence, `since` the least
-- watermark of all (nothing they observed lies before it); the control totals; who settled an
-- unclosed source, when, and how many of its heartbeats it found; and the first and last beat that told each count of refused events, zero too.
CREATE TABLE source_state (
    source VARCHAR, server_id VARCHAR, sequence BIGINT, phase VARCHAR, beat_at TIMESTAMP,
    watermark TIMESTAMP, since TIMESTAMP
);
CREATE TABLE source_totals (source VARCHAR, topic VARCHAR, last BIGINT);
CREATE TABLE settlements (
    source VARCHAR, settled_by VARCHAR, settled_at TIMESTAMP, beats BIGINT
);
CREATE TABLE refusals (
    source VARCHAR, topic VARCHAR, refused BIGINT, first_beat TIMESTAMP, last_beat TIMESTAMP
);

-- Completeness, for whoever reads this store. Numbers of events are HUGEINT.

-- What is missing: the numbers between applied sequences, and up to the control totals.
CREATE VIEW gaps AS
SELECT * FROM (
    SELECT topic, source,
        1 + coalesce(lag(last) OVER (PARTITION BY topic, source ORDER BY first), 0) AS first,
        first - 1 AS last
    FROM sequences
)
WHERE first <= last
UNION ALL
SELECT t.topic, t.source, 1 + coalesce(s.last, 0), t.last
FROM source_totals t
LEFT JOIN (SELECT topic, source, max(last) AS last FROM sequences GROUP BY ALL) s
    ON s.topic = t.topic AND s.source = t.source
WHERE t.last > coalesce(s.last, 0);

-- The sequences that an open or dismissed quarantine row accounts for. In the journal the place
-- tells the sequence, whatever became of the bytes; in Kafka only the bytes do, and a row that does
-- not tell it explains nothing. A damaged block reaches up to the next event that can be read;
-- where none follows, how much it held is not known, and it explains its first event alone.
CREATE VIEW explained AS
WITH places AS (
    SELECT topic, code = 'BLOCK_DAMAGED' AS is_block,
        CASE WHEN log = 'journal' THEN "partition" ELSE source END AS source,
        CASE WHEN log = 'journal' THEN "offset" ELSE sequence END AS first
    FROM quarantine
    WHERE state <> 'retried'
),
events AS (
    SELECT topic, source, first FROM places
    WHERE NOT is_block AND source IS NOT NULL AND first IS NOT NULL
),
blocks AS (
    SELECT DISTINCT topic, source, first FROM places WHERE is_block
),
readable AS (
    SELECT topic, source, first FROM sequences UNION ALL FROM events
)
SELECT topic, source, first, first AS last FROM events
UNION ALL
SELECT b.topic, b.source, b.first, coalesce(min(r.first) - 1, b.first)
FROM blocks b
LEFT JOIN readable r ON r.topic = b.topic AND r.source = b.source AND r.first > b.first
GROUP BY b.topic, b.source, b.first;

-- Every hole, cut where its state changes: explained, lost, or in_flight. A sweep over the edges
-- of gaps and explanations: linear, however many there are.
CREATE VIEW holes AS
WITH edges AS (
    SELECT topic, source, first::HUGEINT AS edge, 1 AS missing, 0 AS why FROM gaps
    UNION ALL
    SELECT topic, source, last::HUGEINT + 1, -1, 0 FROM gaps
    UNION ALL
    SELECT topic, source, first::HUGEINT, 0, 1 FROM explained
    UNION ALL
    SELECT topic, source, last::HUGEINT + 1, 0, -1 FROM explained
    UNION ALL
    SELECT topic, source, last::HUGEINT + 1, 0, 0 FROM proven
),
steps AS (
    SELECT topic, source, edge, sum(missing) AS missing, sum(why) AS why FROM edges GROUP BY ALL
),
sweep AS (
    SELECT topic, source, edge,
        sum(missing) OVER (PARTITION BY topic, source ORDER BY edge) > 0 AS is_missing,
        sum(why) OVER (PARTITION BY topic, source ORDER BY edge) > 0 AS is_explained
    FROM steps
),
turns AS (
    SELECT s.topic, s.source, edge,
        CASE
            WHEN NOT is_missing THEN NULL
            WHEN is_explained THEN 'explained'
            WHEN edge <= p.last THEN 'lost'
            ELSE 'in_flight'
        END AS state
    FROM sweep s
    LEFT JOIN proven p ON p.topic = s.topic AND p.source = s.source
    QUALIFY state IS DISTINCT FROM
        lag(state) OVER (PARTITION BY s.topic, s.source ORDER BY edge)
)
SELECT topic, source, first::BIGINT AS first, last::BIGINT AS last, state
FROM (
    SELECT topic, source, edge AS first,
        lead(edge) OVER (PARTITION BY topic, source ORDER BY edge) - 1 AS last, state
    FROM turns
)
WHERE state IS NOT NULL;

-- Each source and topic: what was applied, what is promised and not there.
CREATE VIEW topic_completeness AS
WITH applied AS (
    SELECT topic, source, min(first) AS first, max(last) AS last FROM sequences GROUP BY ALL
),
missing AS (
    SELECT topic, source,
        sum(last::HUGEINT - first + 1) FILTER (state = 'lost') AS lost,
        sum(last::HUGEINT - first + 1) FILTER (state = 'in_flight') AS in_flight,
        sum(last::HUGEINT - first + 1) FILTER (state = 'explained') AS explained
    FROM holes
    GROUP BY ALL
)
SELECT coalesce(a.source, t.source) AS source, coalesce(a.topic, t.topic) AS topic,
    a.first, a.last, t.last AS total,
    coalesce(m.lost, 0) AS lost, coalesce(m.in_flight, 0) AS in_flight,
    coalesce(m.explained, 0) AS explained
FROM applied a
FULL JOIN source_totals t ON t.source = a.source AND t.topic = a.topic
LEFT JOIN missing m
    ON m.source = coalesce(a.source, t.source) AND m.topic = coalesce(a.topic, t.topic);

-- Each source: how far its word reaches. `state` is closed (CLOSE was its last word), settled (by
-- a later opening: unclean), open, or unheard (no heartbeat yet). Who beats on after it was settled
-- is alive, settled from a copy of its disk: it beat later than the opening, and it is a beat that
-- the opening did not find. One alone is none: a clock may be set back, and what Kafka got of a
-- disk's last second may be gone from the disk. `since` is known once its first
-- heartbeat was read; null: it may have been there always. The counts are of usage alone.
CREATE VIEW source_completeness AS
WITH named AS (
    SELECT source FROM source_state
    UNION
    SELECT source FROM topic_completeness
),
opened AS (
    SELECT DISTINCT source FROM sequences WHERE topic = 'sources.heartbeat' AND first = 1
),
settled AS (
    SELECT t.source FROM settlements t
    LEFT JOIN source_state s ON s.source = t.source
    GROUP BY t.source
    HAVING NOT coalesce(bool_and(s.beat_at > t.settled_at AND s.sequence > t.beats), false)
)
SELECT n.source, coalesce(s.server_id, split_part(n.source, '/', 1)) AS server_id,
    CASE
        WHEN s.phase = 'CLOSE' THEN 'closed'
        WHEN n.source IN (FROM settled) THEN 'settled'
        WHEN s.source IS NULL THEN 'unheard'
        ELSE 'open'
    END AS state,
    CASE WHEN o.source IS NOT NULL THEN s.since END AS since,
    s.beat_at, s.watermark,
    coalesce(u.lost, 0) AS lost, coalesce(u.in_flight, 0) AS in_flight,
    coalesce(u.explained, 0) AS explained
FROM named n
LEFT JOIN source_state s ON s.source = n.source
LEFT JOIN opened o ON o.source = n.source
LEFT JOIN topic_completeness u ON u.source = n.source AND u.topic = 'meetings.usage';

-- Each rise of a count of refused events: it happened after the beat `after` (null: since the
-- source began) and was told by the beat `told_at`.
CREATE VIEW rises_of_refused AS
SELECT source, topic,
    refused - coalesce(lag(refused) OVER rising, 0) AS refused,
    lag(last_beat) OVER rising AS after, first_beat AS told_at
FROM refusals
WINDOW rising AS (PARTITION BY source, topic ORDER BY refused)
QUALIFY refusals.refused > 0;

-- Where in the log the events of a record lie: of each partition the stretch from the first to the
-- last. Partitions of usage are numbered in this store alone, in order of arrival. Nearly every
-- record lies in one, which is told in its own row; what was sent twice, cancelled or brought over
-- from the journal to Kafka lies in several, and then here. Which of them stands in the record's
-- row follows arrival; what the view says does not.
CREATE TABLE places (place INTEGER, log VARCHAR, "partition" VARCHAR);
CREATE TABLE more_places (record_id UUID, place INTEGER, first_offset BIGINT, last_offset BIGINT);
CREATE VIEW record_places AS
SELECT f.record_id, p.log, p."partition",
    min(f.first_offset) AS first_offset, max(f.last_offset) AS last_offset
FROM (
    SELECT record_id, place, first_offset, last_offset FROM usage_records WHERE place IS NOT NULL
    UNION ALL
    FROM more_places
) f
JOIN places p ON p.place = f.place
GROUP BY f.record_id, p.log, p."partition";
