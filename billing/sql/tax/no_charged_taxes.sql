CREATE OR REPLACE TEMP TABLE charged_taxes (
    account_id VARCHAR, month VARCHAR, key UUID, variant VARCHAR, tax VARCHAR
)
