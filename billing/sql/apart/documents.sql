-- The documents that are parted: what stands apart is taken off a draft, and is one of its own. Its
-- number is behind those of all accounts, so that no line of a month's own is taken for one of it.
INSERT INTO drafts BY NAME
SELECT
    drafts.* REPLACE (
        drafts.account + (SELECT count(*) FROM members) AS account,
        drafts.month || '.' || drafts.account_id || '#' || (drafts.place + 1) AS id,
        0 AS lines, TRUE AS apart, 0::HUGEINT AS subtotal
    )
FROM drafts SEMI JOIN apart_lines USING (account_id)
