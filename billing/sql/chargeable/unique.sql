-- Distinct participants. A record without one counts by itself, unless it continues another of
-- its line.
INSERT INTO chargeable BY NAME
WITH parts AS (
    SELECT
        account, term, line_variant, count(*) AS records,
        count(*) FILTER (WHERE NOT continuing) AS own, bool_or(beyond) AS beyond,
        CASE WHEN participant_id IS NULL THEN count(*) ELSE 1 END AS participants
    FROM line_records WHERE "grouping" = 'unique'
    GROUP BY account, term, line_variant, participant_id
),

again AS (
    SELECT account, term, line_variant, count(*) AS participants
    FROM continued GROUP BY account, term, line_variant
),

sums AS (
    SELECT
        account, term, line_variant, sum(records)::BIGINT AS records, sum(own)::BIGINT AS own,
        bool_or(beyond) AS beyond, sum(participants)::HUGEINT AS participants
    FROM parts GROUP BY account, term, line_variant
)

SELECT
    sums.account, sums.term, sums.line_variant, sums.records, sums.own, sums.beyond,
    (sums.participants - coalesce(again.participants, 0)) * usage_terms.grains AS quantity
FROM sums
INNER JOIN usage_terms USING (term)
LEFT JOIN again
    ON sums.account = again.account AND sums.term = again.term
    AND sums.line_variant IS NOT DISTINCT FROM again.line_variant
