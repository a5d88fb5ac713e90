CREATE OR REPLACE TEMP TABLE proved_documents AS
SELECT DISTINCT invoice, number FROM stored_evidence($path)
