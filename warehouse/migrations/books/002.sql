-- Who buys, and what is charged of tax. Documents of before were made without: nothing is decided on
-- them.

-- A buyer is a business where that is told, or, where nothing is, by its numbers.
CREATE MACRO is_business(customer_type, vat_number, registration_id) AS
coalesce(customer_type = 'business', vat_number IS NOT NULL OR registration_id IS NOT NULL);

-- What the registry of a VAT number answered, which is that it is registered: `reference` names the
-- answer (of VIES, the consultation number), `who` asked on that day. Personal data, as accounts are.
CREATE TABLE vat_checks (
    account_id VARCHAR, vat_number VARCHAR, checked_on DATE, reference VARCHAR, who VARCHAR,
    at_us BIGINT
);

-- A VAT number is the same however it is parted; the sign in old Irish ones counts.
CREATE MACRO vat_key(number) AS upper(regexp_replace(number, '[^0-9A-Za-z+*]', '', 'g'));

-- The accounts whose present VAT number has a check, and its last.
CREATE VIEW vat_checked AS
SELECT accounts.account_id, max(checks.checked_on) AS checked_on
FROM accounts INNER JOIN vat_checks AS checks USING (account_id)
WHERE vat_key(accounts.vat_number) = vat_key(checks.vat_number)
GROUP BY accounts.account_id;

-- `tax` is NULL where none was decided, `tax_in` (JSON) what it is in the seller's tax currency, at which
-- rate.
ALTER TABLE invoices ADD COLUMN tax HUGEINT;
ALTER TABLE invoices ADD COLUMN tax_in VARCHAR;

-- JSON: what was decided on the line, as category (EN 16931), country, rate in millionths and reason.
ALTER TABLE invoice_lines ADD COLUMN tax VARCHAR;

-- The tax of a document, by category and rate: on the sum of its lines. Signs are those of lines.
CREATE TABLE invoice_taxes (
    invoice VARCHAR, category VARCHAR, ppm BIGINT, country VARCHAR, reason VARCHAR,
    taxable HUGEINT, tax HUGEINT
);

-- As they were, with the columns that are new.
CREATE OR REPLACE VIEW run_documents AS
SELECT * FROM invoices WHERE status <> 'draft' AND credit IS NULL;

CREATE OR REPLACE VIEW closed_documents AS SELECT * FROM run_documents WHERE status <> 'void';
