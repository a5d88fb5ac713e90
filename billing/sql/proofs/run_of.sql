-- The act that made a document final, its evidence, and what of it is this document's.
SELECT
    runs.run, runs.evidence, runs.snapshot, invoices.evidence_rows, invoices.evidence_sha256
FROM invoices INNER JOIN runs USING (run)
WHERE invoices.id = $id
