-- A run may make two documents of a month for an account: `apart` is the one with the adjustments
-- that must not stand on the same document as the rest (of VAT and of what is outside its scope).
-- It closes no month, so it opens none where it is made void.
ALTER TABLE invoices ADD COLUMN apart BOOLEAN DEFAULT FALSE;

-- What runs have closed and is not void, whether or not it closes a month.
CREATE VIEW standing_documents AS
SELECT * FROM invoices WHERE status IN ('final', 'nil') AND credit IS NULL;

-- The documents of months that runs have made and closed, void ones too.
CREATE OR REPLACE VIEW run_documents AS
SELECT * FROM invoices WHERE status <> 'draft' AND credit IS NULL AND NOT apart;

CREATE OR REPLACE VIEW closed_documents AS SELECT * FROM run_documents WHERE status <> 'void';
