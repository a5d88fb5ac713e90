-- The most records open at one instant, by sweep line. An edge is one whole number: its line, its
-- microsecond, and last whether it is a start, so that at one instant ends come first: a record is
-- open up to its end, not at it. Each line's sum is back at zero where the next begins, so one
-- running sum serves all of a part: 2^$bits lines. A line is of one stretch, from whose beginning
-- its microseconds count: months far apart may be swept together, and a stretch is shorter than
-- the 2^42 there is room for.
INSERT INTO swept BY NAME
WITH open_records AS (
    SELECT
        peak_lines.line,
        epoch_us(greatest(records.started_at, records.start_at)) - epoch_us(records.start_at)
            AS since,
        epoch_us(least(records.last_seen, records.end_at)) - epoch_us(records.start_at) AS until
    FROM line_records AS records
    INNER JOIN peak_lines USING (account, rate)
    WHERE records."grouping" = 'peak'
),

edges AS (
    SELECT
        ((line & (1::BIGINT << $bits) - 1) << 43) + unnest([2 * since + 1, 2 * until]) AS edge
    FROM open_records WHERE line >> $bits = $part
),

sums AS (
    SELECT edge, sum(2 * (edge & 1) - 1) OVER (ORDER BY edge ROWS UNBOUNDED PRECEDING) AS open
    FROM edges
)

SELECT
    ($part << $bits) + (edge >> 43) AS line, count(*) // 2 AS records, max(open)::HUGEINT AS peak
FROM sums GROUP BY ALL
