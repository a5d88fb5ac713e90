SELECT max(batch) AS last FROM batches
