CREATE TEMP TABLE prepaid_draws AS
SELECT draws.* FROM prepaid_draws AS draws SEMI JOIN near_documents AS near ON draws.invoice = near.id
