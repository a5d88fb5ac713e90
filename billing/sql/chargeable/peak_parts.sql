-- Into how many parts of 2^$bits lines the sweep goes; none where no peak is looked for.
SELECT coalesce(
    ((SELECT count(*) FROM members) * (max(slot) + 1) + (1::BIGINT << $bits) - 1) >> $bits, 0
)::BIGINT
FROM peak_rates
