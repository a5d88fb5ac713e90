-- The concession that an item carries over from a document that is void, by the number of its credit
-- note: the words around it are of the language of the page. Those of before have them in their text.
ALTER TABLE items ADD COLUMN concession VARCHAR;

-- As it was, with the column that is new.
CREATE OR REPLACE VIEW pending_items AS FROM items ANTI JOIN billed_items USING (item);
