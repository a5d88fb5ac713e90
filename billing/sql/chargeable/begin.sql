-- The chargeable quantity of each line that has usage, in grains; how many records it has, and
-- how many of those continue no other. `beyond`: a record is larger than can be billed exactly, and
-- then there may be no quantity, as there is none of records that have none.
CREATE OR REPLACE TEMP TABLE chargeable (
    account INTEGER, rate INTEGER, records BIGINT, own BIGINT, beyond BOOLEAN, quantity HUGEINT
)
