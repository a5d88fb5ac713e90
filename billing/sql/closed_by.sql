-- The act that closed a document: when, by whom, what was known and what was passed over.
SELECT
    runs.run, runs.finalized_us, runs.snapshot, runs.overrides, invoices.account_id,
    (
        SELECT max(trail.who) FROM audit_trail AS trail
        WHERE trail.action IN ('invoice finalize', 'credit-note', 'void')
            AND (trail.details ->> 'run')::BIGINT = runs.run
    ) AS who
FROM invoices INNER JOIN runs USING (run)
WHERE invoices.id = $id
