-- With its tax a document's sign is that of what is to be paid.
UPDATE drafts SET
    tax = draft_sums.tax,
    kind = CASE WHEN (drafts.subtotal + draft_sums.tax, drafts.subtotal) < (0, 0) THEN 'credit_note' ELSE 'invoice' END
FROM draft_sums WHERE drafts.id = draft_sums.invoice
