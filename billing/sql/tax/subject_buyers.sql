SELECT account_id, country, vat_number, tax_exempt_reason
FROM accounts SEMI JOIN drafts USING (account_id)
