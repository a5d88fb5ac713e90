-- Each source and topic: what was applied, what its control totals promise, what is missing.
WITH applied AS (
    SELECT topic, source, min(first) AS first, max(last) AS last, sum(last - first + 1) AS count
    FROM sequences GROUP BY ALL
),
known AS (
    SELECT
        coalesce(a.source, t.source) AS source, coalesce(a.topic, t.topic) AS topic,
        a.first, a.last, greatest(a.last, t.last) - coalesce(a.count, 0) AS missing
    FROM applied a
    FULL JOIN source_totals t ON t.source = a.source AND t.topic = a.topic
)
SELECT
    k.source, split_part(k.source, '/', 1) AS server_id, k.topic, k.first, k.last,
    k.missing::BIGINT AS missing, s.watermark,
    CASE
        WHEN s.phase = 'CLOSE' THEN 'closed'
        WHEN k.source IN (SELECT source FROM settlements) THEN 'settled'
        WHEN s.source IS NULL THEN 'unheard'
        ELSE 'open'
    END AS state
FROM known k
LEFT JOIN source_state s ON s.source = k.source
ORDER BY k.source, k.topic
