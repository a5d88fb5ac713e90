-- The evidence holds the records of the lines that there are, so only those are derived from it.
DELETE FROM adjustments WHERE (account_id, month, key, coalesce(variant, chr(0))) NOT IN (
    SELECT verified.account_id, lines.month, lines.key, coalesce(lines.variant, chr(0))
    FROM frozen_lines AS lines INNER JOIN verified USING (invoice)
    WHERE lines.kind = 'adjustment' AND lines.key IS NOT NULL
)
