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

-- The last number given out per series and year, and the last day a document of the series was
-- issued on: read and moved in the transaction that uses them.
CREATE TABLE counters (series VARCHAR, year INTEGER, last BIGINT, last_issued_on DATE);

-- One row per document; frozen, with its lines, once it is no draft, but that a void one says so:
-- `voided` is the act that did it. `corrects` is the document that a credit note is for, `credit`
-- what kind one by hand is: concession, correction or void. Seller and buyer are JSON. Amounts are
-- what is charged, on credit notes too, where they are negative.
CREATE TABLE invoices (
    id VARCHAR, account_id VARCHAR, month VARCHAR, kind VARCHAR, status VARCHAR, number VARCHAR,
    issued_on DATE, due_on DATE, corrects VARCHAR, credit VARCHAR, reason VARCHAR, currency VARCHAR,
    plan VARCHAR, zone VARCHAR, start_us BIGINT, end_us BIGINT, seller VARCHAR, buyer VARCHAR,
    subtotal HUGEINT, prepaid HUGEINT, books VARCHAR[], run BIGINT, voided BIGINT,
    evidence_rows BIGINT, evidence_sha256 VARCHAR
);

-- What each line came to, under its terms. `month` is the one it is for, `advance` whether that
-- was, or had been, to come; `origin` the document that an adjustment corrects; `credits` the line
-- of the corrected document that one of a credit note by hand is for; `own` the records that
-- continue no other. An adjustment is what is `owed` now less what was `charged`; its quantity and
-- tiers are those of what is owed. Quantities, tiers, discount and bound are numerators over the
-- scales that the terms name.
CREATE TABLE invoice_lines (
    invoice VARCHAR, line BIGINT, kind VARCHAR, term UUID, month VARCHAR, advance BOOLEAN,
    origin VARCHAR, credits BIGINT, variant VARCHAR, records BIGINT, own BIGINT, quantity HUGEINT,
    packages HUGEINT, tiers STRUCT(quantity HUGEINT, flat HUGEINT, amount HUGEINT)[],
    discount HUGEINT, bound HUGEINT, owed HUGEINT, charged HUGEINT, amount HUGEINT
);

-- What lines stand under, the same for all accounts whose month is alike: JSON, named by its hash.
-- `key` is the same for terms of one thing: lines of an account, a month, a key and a variant are
-- one line at different times. Rows are only ever added.
CREATE TABLE terms (term UUID, key UUID, content VARCHAR);

-- The periods that a document was computed from, its own and those it adjusts, and what was known
-- then of the account's plans (JSON) and of the books they are in: enough to derive it again. The
-- newest row of a period is what it is frozen to.
CREATE TABLE periods (
    invoice VARCHAR, month VARCHAR, zone VARCHAR, start_us BIGINT, end_us BIGINT, history VARCHAR,
    books VARCHAR[]
);

-- One row per act that made documents final or void: what was known, and the evidence it left.
-- `overrides` are the reasons given for what was passed over (JSON).
CREATE TABLE runs (
    run BIGINT, month VARCHAR, finalized_us BIGINT, snapshot VARCHAR, overrides VARCHAR,
    evidence VARCHAR, evidence_sha256 VARCHAR
);

-- The usage store's last batch that was searched for late usage.
CREATE TABLE looked (batch BIGINT);
INSERT INTO looked VALUES (0);

-- Periods between an account's first and last closed one that may cost something else now, and
-- why: usage, plan, void, correction. A run that closes a document of the account settles them.
CREATE TABLE revisits (account_id VARCHAR, month VARCHAR, reason VARCHAR);

-- Months that a closing run left open: a later one does not pass them over.
CREATE TABLE left_open (account_id VARCHAR, month VARCHAR, code VARCHAR);

-- Who did what, when and why. Rows are only ever added; `sha256` is of all else in the row, which
-- carries that of the row before. `details` is JSON.
CREATE TABLE audit_trail (
    entry BIGINT, at_us BIGINT, who VARCHAR, action VARCHAR, subject VARCHAR, reason VARCHAR,
    details VARCHAR, previous_sha256 VARCHAR, sha256 VARCHAR
);

-- Months of accounts that are not to be closed before somebody releases them.
CREATE TABLE holds (account_id VARCHAR, month VARCHAR, reason VARCHAR, who VARCHAR, at_us BIGINT);

-- What is billed once, with the month that `on_day` lies in. Billed is what stands on a document
-- that is final and not void. `amount` is a decimal as it was told.
CREATE TABLE items (
    item VARCHAR, account_id VARCHAR, on_day DATE, description VARCHAR, amount VARCHAR,
    tax_category VARCHAR, added_us BIGINT
);

-- Money received before it is owed, in the account's smallest units, and what documents drew of it;
-- below zero what one that takes a void document back returned.
CREATE TABLE prepaid_credits (
    credit BIGINT, account_id VARCHAR, amount HUGEINT, expires DATE, reference VARCHAR,
    received_us BIGINT
);
CREATE TABLE prepaid_draws (invoice VARCHAR, credit BIGINT, amount HUGEINT);

-- What an account's month, before tax, is watched for, and the months that came to that much.
CREATE TABLE alerts (account_id VARCHAR, threshold HUGEINT);
CREATE TABLE alerts_fired (
    account_id VARCHAR, month VARCHAR, threshold HUGEINT, fired_us BIGINT, total HUGEINT
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

-- What runs have made and closed, void ones too: neither drafts nor credit notes by hand.
CREATE VIEW run_documents AS
SELECT * FROM invoices WHERE status <> 'draft' AND credit IS NULL;

-- Those that stand: a month with one is closed.
CREATE VIEW closed_documents AS SELECT * FROM run_documents WHERE status <> 'void';

-- Months that are void and were not run again: open, in their old bounds.
CREATE VIEW open_again AS
SELECT account_id, month FROM run_documents
GROUP BY account_id, month HAVING bool_and(status = 'void');

-- What counts as charged before an act: the lines of every document that a run made and that was
-- not void then, and of corrections of such. A concession never counts, so it is never billed back;
-- what makes a document void takes its lines out, and so does not count itself.
CREATE MACRO charging(act) AS TABLE
SELECT invoices.account_id, invoices.run, lines.*
FROM invoice_lines AS lines
INNER JOIN invoices ON lines.invoice = invoices.id
LEFT JOIN invoices AS corrected ON invoices.corrects = corrected.id
WHERE invoices.status <> 'draft' AND invoices.run < act
    AND coalesce(invoices.voided, act) >= act
    AND (
        invoices.credit IS NULL
        OR (invoices.credit = 'correction' AND coalesce(corrected.voided, act) >= act)
    );

-- The one-off items that closed documents bill, with the document. A credit note by hand stands under
-- the terms of what it gives back, and bills nothing; nor does a void one.
CREATE VIEW billed_items AS
SELECT terms.content ->> 'code' AS item, coalesce(documents.number, documents.id) AS billed
FROM invoice_lines AS lines
INNER JOIN closed_documents AS documents ON lines.invoice = documents.id
INNER JOIN terms USING (term)
WHERE lines.kind = 'item';

-- Those that are still to be billed.
CREATE VIEW pending_items AS FROM items ANTI JOIN billed_items USING (item);
