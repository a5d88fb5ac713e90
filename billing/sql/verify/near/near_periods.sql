CREATE TEMP TABLE periods AS
SELECT periods.* FROM periods SEMI JOIN near_documents AS near ON periods.invoice = near.id
