-- Some of the records as rows of the evidence, each with its place among all. What is rounded is taken
-- out of its list one by one: `list_select` reads beyond lists that are empty (DuckDB 1.5.5).
CREATE OR REPLACE TEMP MACRO told_rows(first, last, first_account, last_account) AS TABLE
SELECT
    * EXCLUDE (rounded, slots)
    REPLACE (coalesce(list_transform(slots, lambda slot: rounded[slot]), chargeable) AS chargeable)
FROM (
    SELECT
        documents.number, documents.invoice, records.record_id, records.started_at,
        documents.account_id, records.meeting_id, records.participant_id,
        coalesce(kinds.meter, adjusted.meter) AS meter,
        coalesce(kinds.variant, adjusted.variant) AS variant, records.continues,
        records.last_seen, records.stopped, records.quantity,
        coalesce(kinds.lines, adjusted.lines) AS lines, adjusted.chargeable,
        records.place, records.account, kinds.slots,
        CASE WHEN records.is_wide
            THEN rounded_each(kinds.wide, records.duration_us, records.quantity, records.begun)
            ELSE rounded_each(kinds.narrow, records.duration_us, records.quantity, records.begun)
        END AS rounded
    FROM (
        SELECT *, rowid AS place FROM told_records WHERE rowid BETWEEN first AND last
    ) AS records
    INNER JOIN (
        FROM told_documents WHERE account BETWEEN first_account AND last_account
    ) AS documents ON records.account = documents.account
    LEFT JOIN kind_lines AS kinds
        ON records.account = kinds.account AND records.kind = kinds.kind
    LEFT JOIN adjusted_rows AS adjusted ON records.adjusted = adjusted.place
)
