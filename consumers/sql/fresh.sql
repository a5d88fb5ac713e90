-- The first message of each sequence that has not been applied before: what may be added.
CREATE OR REPLACE TEMP TABLE fresh AS
SELECT topic, source, sequence, ordinal
FROM incoming_sequences i
WHERE NOT EXISTS (
    FROM sequences s
    WHERE s.topic = i.topic AND s.source = i.source AND i.sequence BETWEEN s.first AND s.last
)
QUALIFY row_number() OVER (PARTITION BY topic, source, sequence ORDER BY ordinal) = 1
