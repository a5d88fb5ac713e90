-- Rows that no run has written: the sums of their documents tell that something was changed, and what
-- is computed from evidence could not take them.
DELETE FROM evidence
WHERE record_id IS NULL OR TRY_CAST(record_id AS UUID) IS NULL
    OR (continues IS NOT NULL AND TRY_CAST(continues AS UUID) IS NULL)
    OR started_at IS NULL OR last_seen IS NULL OR account_id IS NULL OR meter IS NULL
    OR stopped IS NULL OR lines IS NULL OR chargeable IS NULL OR len(lines) <> len(chargeable)
    OR len(list_filter(lines, lambda line: line IS NULL OR line < 1)) > 0
    OR len(list_filter(chargeable, lambda one:
        one IS NOT NULL AND NOT regexp_full_match(one, '[0-9]{1,38}'))) > 0
