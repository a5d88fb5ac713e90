-- All that a run froze of one document, as it lay when it was frozen.
CREATE OR REPLACE TEMP TABLE evidence AS
SELECT 0 AS account, * FROM stored_evidence($path) WHERE invoice = $id
