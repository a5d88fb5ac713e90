-- The end of the last period that was closed. Where that is void by now, months that it passed over may
-- still cost something else.
SELECT coalesce(max(end_us), 0)::BIGINT AS until_us FROM run_documents
