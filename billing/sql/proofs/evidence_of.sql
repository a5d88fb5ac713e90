-- All that a run froze of one document.
CREATE OR REPLACE TEMP TABLE evidence_of AS FROM read_parquet($file) WHERE invoice = $id
