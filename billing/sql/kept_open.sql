-- The months that somebody is to look at: left open by a closing run, or held.
SELECT account_id, month FROM left_open
UNION
SELECT account_id, month FROM holds
