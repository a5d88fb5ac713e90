UPDATE invoices SET
    status = CASE WHEN closing.is_nil THEN 'nil' ELSE 'final' END,
    number = closing.number,
    corrects = closing.corrects,
    issued_on = CASE WHEN NOT closing.is_nil THEN $today::DATE END,
    due_on = CASE WHEN NOT closing.is_nil AND closing.kind = 'invoice' THEN
        $today::DATE + coalesce(closing.payment_terms_days, $terms_days)::INTEGER
    END,
    run = $run,
    evidence_rows = coalesce(sums.records, 0),
    evidence_sha256 = sums.sha256
FROM closing LEFT JOIN evidence_sums AS sums ON closing.id = sums.invoice
WHERE invoices.id = closing.id AND invoices.status = 'draft'
