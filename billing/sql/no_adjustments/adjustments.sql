CREATE OR REPLACE TEMP TABLE adjustments (
    account_id VARCHAR, month VARCHAR, key UUID, variant VARCHAR, line BIGINT, term UUID,
    content VARCHAR, advance BOOLEAN, account INTEGER, rate INTEGER,
    sums STRUCT(
        records BIGINT, own BIGINT, quantity HUGEINT, packages HUGEINT,
        tiers STRUCT(quantity HUGEINT, flat HUGEINT, amount HUGEINT)[],
        discount HUGEINT, bound HUGEINT
    ),
    owed HUGEINT, charged HUGEINT, origin VARCHAR
)
