-- The documents of an act that charge tax in another currency than the seller's tax currency.
SELECT id, currency, tax FROM invoices
WHERE run = $run AND tax <> 0 AND currency <> $tax_currency ORDER BY id
