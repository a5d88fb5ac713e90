-- The log tells its own identities as they were; of those at a time that was not replayed the store
-- alone tells, as it is now.
DELETE FROM shared_identities
WHERE started_at >= make_timestamp($from_us) AND started_at < make_timestamp($end_us)
