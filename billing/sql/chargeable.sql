-- The chargeable quantity of each line that has usage, in grains; how many records it has, and
-- how many of those continue no other. `beyond`: a record is larger than can be billed exactly.
CREATE OR REPLACE TEMP TABLE chargeable AS
WITH summed AS (
    SELECT
        account, term, line_variant, count(*) AS records,
        count(*) FILTER (WHERE NOT continuing) AS own, bool_or(beyond) AS beyond,
        sum(value)::HUGEINT AS raw, max(value)::HUGEINT AS raw_max,
        coalesce(sum(rounded64), 0)::HUGEINT + coalesce(sum(rounded128), 0) AS rounded,
        coalesce(max(rounded64)::HUGEINT, max(rounded128)) AS rounded_max
    FROM line_records WHERE "grouping" = 'line' GROUP BY account, term, line_variant
),

lines AS (
    SELECT
        account, term, line_variant, records, own, beyond,
        CASE
            WHEN beyond THEN 0
            WHEN scope = 'record' AND measure = 'maximum' THEN rounded_max
            WHEN scope = 'record' THEN rounded
            WHEN measure = 'maximum' THEN round_to(raw_max * grains, mode, quantum, minimum)
            ELSE round_to(raw * grains, mode, quantum, minimum)
        END AS quantity
    FROM summed INNER JOIN usage_terms USING (term)
),

-- One for each participant of a meeting, or of the stretch where they are counted; without an id,
-- for each record.
parts AS (
    SELECT
        account, term, line_variant, count(*) AS records,
        count(*) FILTER (WHERE NOT continuing) AS own, bool_or(beyond) AS beyond,
        CASE any_value(measure) WHEN 'duration' THEN sum(value) WHEN 'quantity' THEN sum(value)
            ELSE max(value)
        END::HUGEINT AS raw
    FROM line_records
    WHERE "grouping" IN ('participant', 'unique')
    GROUP BY
        account, term, line_variant, CASE WHEN "grouping" = 'participant' THEN meeting_id END,
        participant_id, CASE WHEN participant_id IS NULL THEN record_id END
),

sums AS (
    SELECT
        account, term, line_variant, sum(records)::BIGINT AS records, sum(own)::BIGINT AS own,
        bool_or(beyond) AS beyond,
        CASE WHEN any_value(measure) = 'maximum'
            THEN max(CASE WHEN beyond THEN 0
                ELSE round_to(raw * grains, mode, quantum, minimum) END)
            ELSE sum(CASE WHEN beyond THEN 0
                ELSE round_to(raw * grains, mode, quantum, minimum) END)
        END::HUGEINT AS quantity
    FROM parts INNER JOIN usage_terms USING (term) GROUP BY account, term, line_variant
),

-- A nameless participant who went on under a new record is one.
again AS (
    SELECT late.account, late.term, late.line_variant, count(*) AS records
    FROM line_records AS late
    WHERE late."grouping" = 'unique' AND late.participant_id IS NULL AND late.continuing
        AND EXISTS (
            SELECT 1 FROM line_records AS early
            WHERE early."grouping" = 'unique' AND early.record_id = late.continues
                AND early.account = late.account AND early.term = late.term
                AND early.line_variant IS NOT DISTINCT FROM late.line_variant
        )
    GROUP BY ALL
),

-- Ends before starts at one instant: a record is open up to its end, not at it. Each line's sum
-- is back at zero where the next begins, so one running sum serves all.
swept AS (
    SELECT
        account, term, line_variant, starts,
        sum(CASE WHEN starts THEN 1 ELSE -1 END) OVER (
            ORDER BY account, term, line_variant, moment, starts ROWS UNBOUNDED PRECEDING
        ) AS open
    FROM (
        SELECT
            account, term, line_variant, starts,
            CASE WHEN starts THEN greatest(started_at, start_at) ELSE least(last_seen, end_at)
            END AS moment
        FROM line_records CROSS JOIN (VALUES (TRUE), (FALSE)) AS edges (starts)
        WHERE "grouping" = 'peak'
            AND greatest(started_at, start_at) < least(last_seen, end_at)
    ) AS edges
)

SELECT account, term, line_variant, records, own, beyond, quantity::HUGEINT AS quantity FROM lines
UNION ALL
SELECT
    sums.account, sums.term, sums.line_variant, sums.records, sums.own, sums.beyond,
    sums.quantity - coalesce(again.records, 0) * usage_terms.grains
FROM sums
INNER JOIN usage_terms USING (term)
LEFT JOIN again
    ON sums.account = again.account AND sums.term = again.term
    AND sums.line_variant IS NOT DISTINCT FROM again.line_variant
UNION ALL
SELECT
    account, term, line_variant, count(*) FILTER (WHERE starts),
    count(*) FILTER (WHERE starts), FALSE, max(open)::HUGEINT * any_value(grains)
FROM swept INNER JOIN usage_terms USING (term) GROUP BY account, term, line_variant
