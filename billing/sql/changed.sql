-- The accounts whose draft no longer says what the one before it said.
INSERT INTO changed
WITH known AS (
    SELECT lines.* FROM invoice_lines AS lines
    SEMI JOIN (SELECT id FROM invoices WHERE month = $month AND status = 'draft') AS drafts
        ON lines.invoice = drafts.id
),

heads AS (
    SELECT id, kind, currency, plan, zone, start_us, end_us, buyer, seller FROM invoices
    WHERE month = $month AND status = 'draft'
),

now AS (
    SELECT id, kind, currency, plan, zone, start_us, end_us, buyer, seller FROM drafted_heads
),

lines AS (
    SELECT
        invoice, line, kind, term, month, advance, origin, credits, variant, records, own,
        quantity, packages, tiers, discount, bound, owed, charged, amount, tax
    FROM taxed_lines
),

differing AS (
    SELECT invoice AS id FROM (FROM known EXCEPT FROM lines)
    UNION
    SELECT invoice AS id FROM (FROM lines EXCEPT FROM known)
    UNION
    SELECT id FROM (FROM heads EXCEPT FROM now)
    UNION
    SELECT id FROM (FROM now EXCEPT FROM heads)
)

SELECT DISTINCT drafts.account_id FROM drafts SEMI JOIN differing USING (id)
