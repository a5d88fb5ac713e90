-- What a run closes or looks at again is no longer left open from before.
DELETE FROM left_open
WHERE month = $month AND account_id IN (SELECT account_id FROM members)
