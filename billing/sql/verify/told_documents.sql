-- The documents that are derived, in the layout of their own month.
CREATE OR REPLACE TEMP TABLE told_documents AS
SELECT
    members.account + CASE WHEN verified.apart THEN (SELECT count(*) FROM members) ELSE 0 END
        AS account,
    members.account_id, verified.name AS number, verified.invoice
FROM verified INNER JOIN members ON verified.account_id = members.account_id
