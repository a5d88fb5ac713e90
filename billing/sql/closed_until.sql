-- The end of the last closed period.
SELECT coalesce(max(end_us), 0)::BIGINT AS until_us FROM invoices
WHERE status IN ('final', 'nil') AND credit IS NULL
