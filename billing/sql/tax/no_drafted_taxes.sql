CREATE OR REPLACE TEMP TABLE drafted_taxes (
    invoice VARCHAR, category VARCHAR, ppm BIGINT, country VARCHAR, reason VARCHAR,
    taxable HUGEINT, tax HUGEINT
)
