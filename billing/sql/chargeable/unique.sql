-- Distinct participants. A record without one counts by itself, unless it continues another of
-- its line.
INSERT INTO chargeable BY NAME
WITH again AS (
    SELECT record_id, account, term, line_variant, continues
    FROM line_records
    WHERE "grouping" = 'unique' AND participant_id IS NULL AND continuing
),

continued AS (
    SELECT DISTINCT again.record_id, again.term
    FROM line_records AS early
    INNER JOIN again
        ON early.record_id = again.continues AND early.account = again.account
        AND early.term = again.term
        AND early.line_variant IS NOT DISTINCT FROM again.line_variant
    WHERE early."grouping" = 'unique'
),

parts AS (
    SELECT
        account, term, line_variant, participant_id, count(*) AS records,
        count(*) FILTER (WHERE NOT continuing) AS own,
        bool_or(beyond) AS beyond,
        CASE WHEN participant_id IS NULL
            THEN count(*) FILTER (WHERE NOT (
                continuing AND (record_id, term) IN (SELECT (record_id, term) FROM continued)
            ))
            ELSE 1
        END AS distinct_ones
    FROM line_records WHERE "grouping" = 'unique'
    GROUP BY account, term, line_variant, participant_id
)

SELECT
    account, term, line_variant, sum(records)::BIGINT AS records, sum(own)::BIGINT AS own,
    bool_or(beyond) AS beyond, sum(distinct_ones)::HUGEINT * any_value(grains) AS quantity
FROM parts INNER JOIN usage_terms USING (term) GROUP BY account, term, line_variant
