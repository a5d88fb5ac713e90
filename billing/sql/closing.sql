-- The documents that a run closes, each with its number but for nil ones: in order of account, by
-- series. A credit note corrects the latest numbered document that its lines adjust, else the
-- account's last.
CREATE OR REPLACE TEMP TABLE closing AS
WITH ready AS (
    SELECT
        account, id, account_id, kind, payment_terms_days, is_nil AND NOT $issue_zero AS is_nil
    FROM drafts WHERE account NOT IN (SELECT account FROM blocked)
),

corrected AS (
    SELECT lines.invoice AS id, max_by(origins.id, origins.run) AS corrects
    FROM drafted_lines AS lines
    INNER JOIN ready ON lines.invoice = ready.id AND ready.kind = 'credit_note'
    INNER JOIN invoices AS origins ON lines.origin = origins.id AND origins.number IS NOT NULL
    GROUP BY lines.invoice
),

latest AS (
    SELECT account_id, max_by(id, run) AS corrects
    FROM run_documents WHERE number IS NOT NULL AND kind = 'invoice' GROUP BY account_id
)

SELECT
    ready.*,
    CASE WHEN ready.kind = 'credit_note' THEN coalesce(corrected.corrects, latest.corrects) END
        AS corrects,
    CASE WHEN NOT is_nil THEN
        CASE ready.kind WHEN 'invoice' THEN $invoice ELSE $credit_note END || printf(
            '%06d', CASE ready.kind WHEN 'invoice' THEN $last_invoice ELSE $last_credit_note END
            + row_number() OVER (PARTITION BY ready.kind, is_nil ORDER BY ready.account_id, ready.account)
        )
    END AS number
FROM ready
LEFT JOIN corrected USING (id)
LEFT JOIN latest USING (account_id)
