UPDATE drafts SET lines = (SELECT count(*) FROM draft_lines AS lines WHERE lines.account = drafts.account)
WHERE account_id IN (SELECT account_id FROM apart_lines)
