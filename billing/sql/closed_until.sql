-- The end of the last closed period.
SELECT coalesce(max(end_us), 0)::BIGINT AS until_us FROM closed_documents
