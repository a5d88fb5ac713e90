-- Heads that their own lines, periods or draws contradict.
WITH documents AS (
    SELECT invoices.*, coalesce(number, id) AS name
    FROM invoices SEMI JOIN asked ON invoices.id = asked.id
),

sums AS (
    SELECT invoice, sum(amount)::HUGEINT AS amount, bool_and(amount = 0) AS is_nil
    FROM invoice_lines SEMI JOIN asked ON invoice_lines.invoice = asked.id
    GROUP BY invoice
),

draws AS (
    SELECT invoice, sum(amount)::HUGEINT AS amount FROM prepaid_draws GROUP BY invoice
),

found AS (
    SELECT
        documents.id, name,
        CASE WHEN subtotal IS DISTINCT FROM coalesce(sums.amount, 0::HUGEINT)
            THEN 'its subtotal is not the sum of its lines' END AS of_sum,
        CASE WHEN (kind = 'credit_note') <> ((subtotal + coalesce(tax, 0::HUGEINT), subtotal) < (0, 0))
            THEN 'its kind is not that of its sum' END AS of_kind,
        CASE WHEN coalesce(prepaid, 0)
            <> CASE WHEN kind = 'credit_note' THEN -1 ELSE 1 END * coalesce(draws.amount, 0::HUGEINT)
            THEN 'what is prepaid is not what was drawn' END AS of_draws,
        CASE WHEN credit IS NULL AND NOT EXISTS (
            FROM periods
            WHERE periods.invoice = documents.id AND periods.month = documents.month
                AND periods.zone = documents.zone AND periods.start_us = documents.start_us
                AND periods.end_us = documents.end_us
        ) THEN 'its period is not the one that was frozen with it' END AS of_period,
        CASE WHEN run IS NULL OR run NOT IN (SELECT run FROM runs)
            THEN 'the act that closed it is not there'
            WHEN voided NOT IN (SELECT run FROM runs) THEN 'the act that made it void is not there'
            WHEN status NOT IN ('final', 'nil', 'void') OR (status = 'void') <> (voided IS NOT NULL)
                THEN 'its status is not what was done to it'
        END AS of_act,
        CASE WHEN status = 'final' AND number IS NULL THEN 'it has no number'
            WHEN status = 'nil' AND NOT coalesce(sums.is_nil, TRUE)
                THEN 'it is nil and has an amount'
            WHEN number IS NOT NULL
                AND split_part(number, '-', -2) <> strftime(issued_on, '%Y')
                THEN 'the year in its number is not that of its day of issue'
        END AS of_number
    FROM documents
    LEFT JOIN sums ON documents.id = sums.invoice
    LEFT JOIN draws ON documents.id = draws.invoice
)

SELECT id, 'HEAD_DIFFERS' AS code, name, message
FROM (SELECT id, name, unnest([of_sum, of_kind, of_draws, of_period, of_act, of_number]) AS message
    FROM found)
WHERE message IS NOT NULL ORDER BY name, message
