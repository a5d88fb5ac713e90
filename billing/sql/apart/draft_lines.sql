-- The months' own lines without those, numbered anew.
CREATE OR REPLACE TEMP TABLE draft_lines AS
SELECT lines.* REPLACE (row_number() OVER (PARTITION BY account ORDER BY line) AS line)
FROM draft_lines AS lines
ANTI JOIN (
    SELECT members.account, parted.place AS line
    FROM apart_lines AS parted INNER JOIN members USING (account_id)
    WHERE parted.is_own
) AS parted USING (account, line)
