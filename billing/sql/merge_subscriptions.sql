-- A row replaces that of the same account and day; one that ends on its first day takes it out.
MERGE INTO subscriptions AS known USING imported_subscriptions AS told
    ON known.account_id = told.account_id AND known.since = told.since
WHEN MATCHED AND told.until = told.since THEN DELETE
WHEN MATCHED THEN UPDATE BY NAME
WHEN NOT MATCHED AND told.until IS DISTINCT FROM told.since THEN INSERT BY NAME
