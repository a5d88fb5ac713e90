-- A run may make two documents of a month for an account: `apart` is the one with the adjustments
-- that must not stand on the same document as the rest (of VAT and of what is outside its scope).
-- It closes no month, so it opens none where it is made void.
ALTER TABLE invoices ADD COLUMN apart BOOLEAN DEFAULT FALSE;

-- The place of a document among all of its account and month, from its id: the first has none in it.
CREATE MACRO place_of(id, account_id) AS
coalesce(TRY_CAST(substr(id, length('2026-10.') + length(account_id) + 2) AS BIGINT), 1);

-- What runs have closed and is not void, whether or not it closes a month.
CREATE VIEW standing_documents AS
SELECT * FROM invoices WHERE status IN ('final', 'nil') AND credit IS NULL;

-- The documents of months that runs have made and closed, void ones too.
CREATE OR REPLACE VIEW run_documents AS
SELECT * FROM invoices WHERE status <> 'draft' AND credit IS NULL AND NOT apart;

CREATE OR REPLACE VIEW closed_documents AS SELECT * FROM run_documents WHERE status <> 'void';

-- The concession that an item carries over from a document that is void, by the number of its credit
-- note: the words around it are of the language of the page. Those of before have them in their text.
ALTER TABLE items ADD COLUMN concession VARCHAR;

-- Where lines are booked: the account of the general ledger that an item names, if any.
ALTER TABLE items ADD COLUMN ledger_account VARCHAR;

-- As it was, with the columns that are new.
CREATE OR REPLACE VIEW pending_items AS FROM items ANTI JOIN billed_items USING (item);

-- By what terms are taxed and booked, where they say so: JSON, without what they do not say.
CREATE MACRO booked(content) AS
json_merge_patch(
    '{}',
    to_json({
        'tax_category': content ->> '$.basis.tax_category',
        'ledger_account': content ->> '$.basis.ledger_account'
    })
)::VARCHAR;

-- What the tax of a rate is in the seller's tax currency, in its smallest units, where `invoices.tax_in`
-- tells the whole: the parts add up to it. NULL on documents of before.
ALTER TABLE invoice_taxes ADD COLUMN tax_in HUGEINT;
