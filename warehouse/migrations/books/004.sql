-- Where lines are booked: the account of the general ledger that an item names, if any.
ALTER TABLE items ADD COLUMN ledger_account VARCHAR;

-- As it was, with the column that is new.
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
