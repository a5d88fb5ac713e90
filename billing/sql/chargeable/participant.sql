-- What a participant has in one meeting, rounded together; without an id, each record by itself.
INSERT INTO chargeable BY NAME
WITH parts AS (
    SELECT
        account, rate, count(*) AS records, count(*) FILTER (WHERE NOT continuing) AS own,
        bool_or(beyond) AS beyond,
        CASE WHEN any_value(measure) = 'maximum' THEN max(value) ELSE sum(value) END::HUGEINT AS raw
    FROM line_records WHERE "grouping" = 'participant'
    GROUP BY
        account, rate, meeting_id, participant_id,
        CASE WHEN participant_id IS NULL THEN record_id END
),

rounded AS (
    SELECT
        parts.account, parts.rate, rates.measure, parts.records, parts.own, parts.beyond,
        CASE
            WHEN beyond THEN NULL
            WHEN raw <= cap64 THEN
                round_to(raw::BIGINT * grains64, bias64, quantum64, minimum64)::HUGEINT
            ELSE round_to(raw * grains, bias, quantum, minimum)
        END AS part
    FROM parts INNER JOIN rates USING (rate)
)

SELECT
    account, rate, sum(records)::BIGINT AS records, sum(own)::BIGINT AS own,
    bool_or(beyond) AS beyond,
    (CASE WHEN any_value(measure) = 'maximum' THEN max(part) ELSE sum(part) END)::HUGEINT
        AS quantity
FROM rounded GROUP BY account, rate
