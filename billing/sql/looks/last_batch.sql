SELECT coalesce(max(batch), 0) AS last FROM batches
