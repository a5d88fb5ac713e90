-- The lines whose peak is charged, with a number each: any will do.
CREATE OR REPLACE TEMP TABLE peak_lines AS
SELECT members.account, rates.rate, rates.grains, row_number() OVER () AS line
FROM members INNER JOIN rates USING (cohort)
WHERE rates."grouping" = 'peak'
