-- Rows that may hide usage, and what became of them. A heartbeat hides a promise, or refusals.
SELECT
    id, topic, source, code, state, account_id, epoch_us(started_at) AS started_us,
    epoch_us(arrived_at) AS arrived_us, dismissed_by, epoch_us(dismissed_at) AS dismissed_us,
    dismissal
FROM quarantine
WHERE state <> 'retried' AND topic IN ('meetings.usage', 'sources.heartbeat')
