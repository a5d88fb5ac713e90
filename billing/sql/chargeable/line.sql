-- Each record rounded by itself, or all of a line's together.
INSERT INTO chargeable BY NAME
WITH summed AS (
    SELECT
        account, term, line_variant, count(*) AS records,
        count(*) FILTER (WHERE NOT continuing) AS own, bool_or(beyond) AS beyond,
        sum(value)::HUGEINT AS raw, max(value)::HUGEINT AS raw_max,
        coalesce(sum(rounded64), 0)::HUGEINT + coalesce(sum(rounded128), 0) AS rounded,
        greatest(max(rounded64)::HUGEINT, max(rounded128)) AS rounded_max
    FROM line_records WHERE "grouping" = 'line' GROUP BY account, term, line_variant
)

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
