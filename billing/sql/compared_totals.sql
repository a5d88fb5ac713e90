SELECT
    count(*) AS accounts, count(*) FILTER (new < old) AS less, count(*) FILTER (new > old) AS more,
    coalesce(sum(old), 0)::HUGEINT AS old, coalesce(sum(new), 0)::HUGEINT AS new,
    coalesce(sum(new - old), 0)::HUGEINT AS difference
FROM compared
