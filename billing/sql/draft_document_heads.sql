SELECT *, NULL AS corrected_number FROM drafted_heads WHERE id IN (SELECT unnest($ids))
