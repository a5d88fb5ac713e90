-- What the capacity test needs to know before any arithmetic.
SELECT line, count(*) AS records, sum(value)::HUGEINT AS total FROM line_records GROUP BY line
