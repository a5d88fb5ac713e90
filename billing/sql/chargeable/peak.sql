-- The most records open at one instant, by sweep line. An edge is one whole number: its account's
-- number, its microsecond, and last whether it is a start, so that at one instant ends come first:
-- a record is open up to its end, not at it. Each line's sum is back at zero where the next
-- begins, so one running sum serves 8,192 accounts.
INSERT INTO chargeable BY NAME
WITH edges AS (
    SELECT
        account // 8192 AS part, term, line_variant,
        ((account % 8192)::BIGINT << 50) + is_start
        + 2 * (epoch_us(CASE WHEN is_start = 1
            THEN greatest(started_at, start_at) ELSE least(last_seen, end_at)
        END) - (SELECT min(epoch_us(start_at)) FROM places)) AS edge
    FROM line_records CROSS JOIN (VALUES (0::BIGINT), (1::BIGINT)) AS ends (is_start)
    WHERE "grouping" = 'peak' AND greatest(started_at, start_at) < least(last_seen, end_at)
),

swept AS (
    SELECT
        part, term, line_variant, edge,
        sum(2 * (edge & 1) - 1) OVER (
            PARTITION BY part, term, line_variant ORDER BY edge ROWS UNBOUNDED PRECEDING
        ) AS open
    FROM edges
)

SELECT
    part * 8192 + (edge >> 50)::INTEGER AS account, term, line_variant,
    count(*) FILTER (WHERE edge & 1 = 1) AS records, records AS own, FALSE AS beyond,
    max(open)::HUGEINT * any_value(grains) AS quantity
FROM swept INNER JOIN usage_terms USING (term) GROUP BY 1, term, line_variant
