CREATE TEMP TABLE invoice_lines AS
SELECT lines.* FROM invoice_lines AS lines SEMI JOIN near_documents AS near ON lines.invoice = near.id
