-- Tables hold as much as was ever added to them: each sequence and identity once, each sample in one
-- hour, each quarantine row and each further place
-- for good.
WITH told AS (SELECT what, sum(added) AS added FROM additions GROUP BY what),
held AS (
    SELECT topic AS what, sum(last::HUGEINT - first + 1) AS added FROM sequences GROUP BY topic
    UNION ALL
    SELECT 'usage_records', count(*) FROM usage_records
    UNION ALL
    SELECT 'more_places', count(*) FROM more_places
    UNION ALL
    SELECT 'quarantine', count(*) FROM quarantine
),
hours AS (
    SELECT 'meetings.quality' AS what, sum(samples) AS added FROM quality_hourly
    UNION ALL
    SELECT 'servers.load', sum(samples) FROM server_hourly
)
SELECT
    (SELECT count(*) FROM told t FULL JOIN held h USING (what)
        WHERE coalesce(t.added, 0) <> coalesce(h.added, 0))
    + (SELECT count(*) FROM hours h LEFT JOIN told t USING (what)
        WHERE coalesce(t.added, 0) <> coalesce(h.added, 0))
