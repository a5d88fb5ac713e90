-- The drafts of businesses whose address is not whole, and what of it is missing. A seller who is
-- nowhere yet asks for none, and what is nil gets no document to write it on.
CREATE OR REPLACE TEMP TABLE without_address AS
SELECT DISTINCT
    drafts.account_id,
    concat_ws(
        ', ',
        CASE WHEN accounts.street IS NULL THEN 'street' END,
        CASE
            WHEN accounts.postal_code IS NULL AND NOT list_contains($no_codes, accounts.country)
                THEN 'postal_code'
        END,
        CASE WHEN accounts.city IS NULL THEN 'city' END
    ) AS missing
FROM drafts INNER JOIN accounts USING (account_id)
WHERE $asked AND missing <> '' AND ($issue_zero OR NOT drafts.is_nil)
    AND is_business(accounts.customer_type, accounts.vat_number, accounts.registration_id)
