-- Each record rounded by itself.
INSERT INTO chargeable BY NAME
SELECT
    account, rate, count(*) AS records,
    count(*) FILTER (WHERE NOT continuing) AS own, bool_or(beyond) AS beyond,
    CASE
        WHEN any_value(measure) = 'maximum'
            THEN greatest(max(rounded64)::HUGEINT, max(rounded128))
        ELSE coalesce(sum(rounded64), 0)::HUGEINT + coalesce(sum(rounded128), 0)
    END AS quantity
FROM line_records WHERE "grouping" = 'record'
GROUP BY account, rate
