-- All of a line's records together, rounded once or not at all. No duration is beyond what can be
-- billed exactly, and a count is one.
INSERT INTO chargeable BY NAME
WITH lines AS (
    SELECT
        sums.account, rates.rate, sum(sums.records)::BIGINT AS records,
        sum(sums.own)::BIGINT AS own,
        bool_or(rates.of_quantity = 1 AND sums.largest > rates.cap) AS beyond,
        CASE any_value(rates.measure)
            WHEN 'duration' THEN sum(sums.duration_us)
            WHEN 'count' THEN sum(sums.own)
            WHEN 'maximum' THEN max(sums.largest)
            ELSE sum(sums.quantity)
        END::HUGEINT AS raw
    FROM sums
    INNER JOIN taken
        ON sums.stretch = taken.stretch AND sums.meter = taken.meter
        AND sums.variant IS NOT DISTINCT FROM taken.variant
    INNER JOIN rates USING (rate)
    WHERE rates."grouping" = 'sum'
    GROUP BY sums.account, rates.rate
)

SELECT
    account, rate, records, own, beyond,
    CASE WHEN beyond THEN NULL ELSE round_to(raw * grains, bias, quantum, minimum) END AS quantity
FROM lines INNER JOIN rates USING (rate)
