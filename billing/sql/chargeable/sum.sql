-- All of a line's records together, rounded once or not at all.
INSERT INTO chargeable BY NAME
WITH lines AS (
    SELECT
        sums.account, terms.term, CASE WHEN terms.by_variant THEN sums.variant END AS line_variant,
        sum(sums.records)::BIGINT AS records, sum(sums.own)::BIGINT AS own,
        bool_or(terms.cap < CASE terms.measure
            WHEN 'duration' THEN sums.longest_us WHEN 'count' THEN 1 ELSE sums.largest
        END) AS beyond,
        CASE any_value(terms.measure)
            WHEN 'duration' THEN sum(sums.duration_us)
            WHEN 'count' THEN sum(sums.own)
            WHEN 'maximum' THEN max(sums.largest)
            ELSE sum(sums.quantity)
        END::HUGEINT AS raw
    FROM sums
    INNER JOIN takes
        ON sums.stretch = takes.stretch AND sums.meter = takes.meter
        AND sums.variant IS NOT DISTINCT FROM takes.variant
    INNER JOIN usage_terms AS terms USING (term)
    WHERE terms."grouping" = 'sum'
    GROUP BY sums.account, terms.term, line_variant
)

SELECT
    account, term, line_variant, records, own, beyond,
    CASE WHEN beyond THEN 0 ELSE round_to(raw * grains, mode, quantum, minimum) END AS quantity
FROM lines INNER JOIN usage_terms USING (term)
