-- What the evidence of an act says of the documents. The bounds find the place in the file.
CREATE OR REPLACE TEMP TABLE evidence_rows AS
FROM read_parquet($path)
WHERE invoice BETWEEN $first AND $last AND invoice IN (SELECT invoice FROM verified)
