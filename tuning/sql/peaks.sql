-- The hour with most participants, its capacity, and the fullest hour's share of capacity.
-- Beyond one server hourly peaks are added, which need not coincide: an upper bound.
WITH servers AS (
    SELECT
        hour, d.dimension, d.region, d.name, l.region AS place, l.server_id,
        max(participants_max) AS participants, max(capacity_max) AS capacity
    FROM server_hourly l, LATERAL (VALUES
        ('all', '', 'all'), ('region', l.region, l.region), ('server', l.region, l.server_id),
        ('version', '', l.version)
    ) d (dimension, region, name)
    WHERE hour >= $start AND hour < $end
    GROUP BY ALL
),
hours AS (
    SELECT
        hour, dimension, region, name, sum(participants) AS participants,
        sum(capacity) AS capacity
    FROM servers
    GROUP BY ALL
)
SELECT
    dimension, region, name, arg_max(participants, (participants, -epoch_us(hour))) AS peak,
    arg_max(capacity, (participants, -epoch_us(hour))) AS capacity,
    arg_max(hour, (participants, -epoch_us(hour))) AS peak_at,
    max(participants / nullif(capacity, 0)) AS load
FROM hours
GROUP BY ALL
