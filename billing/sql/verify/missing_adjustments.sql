-- Adjustments that a source says were owed, and that the documents have not; but of periods that the
-- store was told of since, or of another record of an id of theirs, which was in conflict until then:
-- those are to come.
SELECT
    verified.invoice, verified.name, verified.currency, owing.month, owing.variant,
    coalesce(owing.content, terms.content) ->> 'code' AS code,
    owing.owed - owing.charged AS amount
FROM adjustments AS owing
INNER JOIN verified USING (account_id)
INNER JOIN periods ON verified.invoice = periods.invoice AND owing.month = periods.month
LEFT JOIN terms ON owing.term = terms.term
WHERE NOT verified.apart AND NOT EXISTS (
    SELECT 1 FROM invoices AS documents
    INNER JOIN invoice_lines AS lines ON documents.id = lines.invoice
    INNER JOIN terms ON lines.term = terms.term
    WHERE documents.account_id = verified.account_id AND documents.run = verified.run
        AND lines.kind = 'adjustment' AND lines.month = owing.month AND terms.key = owing.key
        AND lines.variant IS NOT DISTINCT FROM owing.variant
)
AND NOT EXISTS (
    SELECT 1 FROM moved_since AS moved
    WHERE moved.account_id = owing.account_id AND moved.last_batch > $last_batch
        AND moved.day BETWEEN make_timestamp(periods.start_us)::DATE - 2
        AND make_timestamp(periods.end_us)::DATE
)
AND NOT EXISTS (
    SELECT 1 FROM near_all AS records
    WHERE records.account_id = owing.account_id
        AND records.started_at >= make_timestamp(periods.start_us)
        AND records.started_at < make_timestamp(periods.end_us)
        AND records.record_id IN (
            SELECT record_id FROM shared_identities WHERE last_batch > $last_batch
        )
)
ORDER BY verified.name, owing.month, code, owing.variant
