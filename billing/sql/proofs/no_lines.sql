CREATE OR REPLACE TEMP TABLE found_lines (invoice VARCHAR, line INTEGER, records BIGINT)
