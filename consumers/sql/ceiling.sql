-- Open rows among the last batches that together hold at least 10,000 events, and those events.
WITH per_batch AS (SELECT batch, sum(events) AS events FROM batches GROUP BY batch),
recent AS (
    SELECT batch, events FROM per_batch
    QUALIFY coalesce(sum(events) OVER (
        ORDER BY batch DESC ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    ), 0) < 10000
)
SELECT
    (SELECT count(*) FROM quarantine WHERE state = 'open' AND batch IN (SELECT batch FROM recent)),
    (SELECT coalesce(sum(events), 0)::BIGINT FROM recent)
