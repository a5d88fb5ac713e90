SELECT *, NULL AS corrected_number, NULL AS corrected_issued_on FROM drafted_heads WHERE id IN (SELECT unnest($ids))
