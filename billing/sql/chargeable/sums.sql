-- What each stretch has of each kind of record: whatever is not rounded by record or participant
-- follows from that, however many charges take it.
CREATE OR REPLACE TEMP TABLE sums AS
SELECT
    account, stretch, meter, variant, count(*) AS records,
    count(*) FILTER (WHERE NOT continuing) AS own,
    sum(duration_us)::HUGEINT AS duration_us, sum(quantity)::HUGEINT AS quantity,
    max(quantity) AS largest
FROM placed_records WHERE starts_here
GROUP BY account, stretch, meter, variant
