-- Distinct participants. A record without one counts by itself, unless it continues another of
-- its line.
INSERT INTO chargeable BY NAME
WITH parts AS (
    SELECT
        account, rate, count(*) AS records, count(*) FILTER (WHERE NOT continuing) AS own,
        CASE WHEN participant_id IS NULL THEN count(*) ELSE 1 END AS participants
    FROM line_records WHERE "grouping" = 'unique'
    GROUP BY account, rate, participant_id
),

again AS (SELECT account, rate, count(*) AS participants FROM continued GROUP BY account, rate),

counted AS (
    SELECT
        account, rate, sum(records)::BIGINT AS records, sum(own)::BIGINT AS own,
        sum(participants)::HUGEINT AS participants
    FROM parts GROUP BY account, rate
)

SELECT
    counted.account, counted.rate, counted.records, counted.own, FALSE AS beyond,
    (counted.participants - coalesce(again.participants, 0)) * rates.grains AS quantity
FROM counted
INNER JOIN rates USING (rate)
LEFT JOIN again USING (account, rate)
