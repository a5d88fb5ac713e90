-- The rates of each document's own lines in their order, so that the place of a rate is the number of
-- its line. Sorted when the lists are there: an aggregate with an order of its own does not fit
-- into memory.
CREATE OR REPLACE TEMP TABLE on_lines AS
SELECT
    account,
    list_transform(list_sort(list({'line': line, 'rate': rate})), lambda one: one.rate) AS rates
FROM draft_lines GROUP BY account
