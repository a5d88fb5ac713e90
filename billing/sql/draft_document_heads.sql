FROM drafted_heads WHERE id IN (SELECT unnest($ids))
