-- The first message of each sequence that has not been applied before: what may be added.
CREATE OR REPLACE TEMP TABLE fresh AS
SELECT topic, source, sequence, min(ordinal) AS ordinal
FROM incoming_sequences i
WHERE NOT EXISTS (
    FROM sequences s
    WHERE s.topic = i.topic AND s.source = i.source AND i.sequence BETWEEN s.first AND s.last
)
GROUP BY topic, source, sequence
