-- Lines that are only frozen, or only derived again, and the documents' other lines of the kind.
CREATE OR REPLACE TEMP TABLE differing_lines AS
WITH frozen AS (SELECT * EXCLUDE (key, tax) FROM frozen_lines),

derived AS (
    SELECT
        invoice, line, kind, term, month, advance, origin, credits, variant, records, own,
        quantity, packages, tiers, discount, bound, owed, charged, amount
    FROM drafted_lines
)

SELECT *, TRUE AS is_frozen FROM (FROM frozen EXCEPT FROM derived)
UNION ALL
SELECT *, FALSE AS is_frozen FROM (FROM derived EXCEPT FROM frozen)
