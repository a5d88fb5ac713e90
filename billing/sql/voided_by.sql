-- Who made a document void, when and why.
SELECT trail.who, runs.finalized_us AS at_us, trail.reason
FROM invoices
INNER JOIN runs ON invoices.voided = runs.run
INNER JOIN audit_trail AS trail
    ON trail.action = 'void' AND trail.subject IN (invoices.number, invoices.id)
        AND (trail.details ->> 'run')::BIGINT = runs.run
WHERE invoices.id = $id
