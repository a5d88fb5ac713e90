SELECT
    q.id, q.topic, q.source, q.code, q.account_id, q.dismissal AS reason, q.dismissed_by AS who,
    q.dismissed_us AS at_us
FROM told_quarantine q
WHERE q.id IN (SELECT quarantine_id FROM gate_gaps WHERE settled)
ORDER BY q.id
