-- Into how many parts of 2^20 lines the sweep goes; none where no peak is looked for.
SELECT coalesce(((SELECT count(*) FROM members) * (max(slot) + 1) + 1048575) // 1048576, 0)::BIGINT
FROM peak_rates
