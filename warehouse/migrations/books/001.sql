-- The books: what billing alone writes. Personal data is in accounts and in frozen invoices only.
-- Days are DATE in the account's zone; instants are BIGINT microseconds since 1970, UTC. Amounts
-- are whole numbers of the currency's smallest units.

CREATE TABLE accounts (
    account_id VARCHAR, name VARCHAR, email VARCHAR, country VARCHAR, language VARCHAR,
    time_zone VARCHAR, currency VARCHAR, legal_name VARCHAR, street VARCHAR, postal_code VARCHAR,
    city VARCHAR, region VARCHAR, customer_type VARCHAR, vat_number VARCHAR,
    registration_id VARCHAR, tax_exempt_reason VARCHAR, payment_terms_days INTEGER,
    purchase_order VARCHAR, buyer_reference VARCHAR, endpoint VARCHAR
);
CREATE TABLE subscriptions (
    account_id VARCHAR, since DATE, until DATE, book VARCHAR, plan VARCHAR, quantity BIGINT
);

-- A version of a book is its code and first day; content is the file as it was loaded.
CREATE TABLE price_books (
    book VARCHAR, effective_from DATE, currency VARCHAR, sha256 VARCHAR, content VARCHAR
);

-- The last number given out, per series and year: read and moved in the transaction that uses it.
CREATE TABLE counters (series VARCHAR, year INTEGER, last BIGINT);

-- One row per document; frozen, with its lines, once final. Seller and buyer are JSON.
CREATE TABLE invoices (
    id VARCHAR, account_id VARCHAR, month VARCHAR, kind VARCHAR, status VARCHAR, number VARCHAR,
    issued_on DATE, due_on DATE, currency VARCHAR, plan VARCHAR, zone VARCHAR, start_us BIGINT,
    end_us BIGINT, seller VARCHAR, buyer VARCHAR, subtotal HUGEINT, books VARCHAR[], run BIGINT,
    evidence_rows BIGINT, evidence_sha256 VARCHAR
);

-- What each line came to, under its terms. `month` is the one it is for, `advance` whether that
-- was, or had been, to come; `origin` the document that an adjustment corrects; `own` the records
-- that continue no other. Quantities, tiers, discount and bound are numerators over the scales that
-- the terms name.
CREATE TABLE invoice_lines (
    invoice VARCHAR, line BIGINT, term UUID, month VARCHAR, advance BOOLEAN, origin VARCHAR,
    variant VARCHAR, records BIGINT, own BIGINT, quantity HUGEINT, packages HUGEINT,
    tiers STRUCT(quantity HUGEINT, flat HUGEINT, amount HUGEINT)[], discount HUGEINT,
    bound HUGEINT, amount HUGEINT
);

-- What lines stand under, the same for all accounts whose month is alike: JSON, named by its hash.
-- Rows are only ever added.
CREATE TABLE terms (term UUID, content VARCHAR);

-- One row per finalising run: what was known, and the evidence it left.
CREATE TABLE runs (
    run BIGINT, month VARCHAR, finalized_us BIGINT, snapshot VARCHAR,
    evidence VARCHAR, evidence_sha256 VARCHAR
);

-- Who did what, when and why. Rows are only ever added; `sha256` is of all else in the row, which
-- carries that of the row before. `details` is JSON.
CREATE TABLE audit_trail (
    entry BIGINT, at_us BIGINT, who VARCHAR, action VARCHAR, subject VARCHAR, reason VARCHAR,
    details VARCHAR, previous_sha256 VARCHAR, sha256 VARCHAR
);

-- Servers that a period does not wait for, from a day (UTC) on, and servers that it does wait for,
-- heard of or not, besides those in the settings. One row per server; the audit trail has the rest.
CREATE TABLE retired_servers (
    server_id VARCHAR, retired_on DATE, reason VARCHAR, who VARCHAR, at_us BIGINT
);
CREATE TABLE expected_servers (server_id VARCHAR, who VARCHAR, at_us BIGINT);

-- Lost usage that a period was closed without: what was missing then was observed before `until_us`,
-- so no period that begins later waits for it.
CREATE TABLE accepted_holes (
    topic VARCHAR, source VARCHAR, first BIGINT, last BIGINT, until_us BIGINT
);
