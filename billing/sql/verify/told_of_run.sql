-- What a file of evidence says of the run that wrote it.
CREATE OR REPLACE TEMP TABLE told_of_run AS
SELECT decode(key) AS name, decode(value) AS told FROM parquet_kv_metadata($path)
