-- The newest import replaces what is known of an account.
MERGE INTO accounts USING imported_accounts USING (account_id)
WHEN MATCHED THEN UPDATE BY NAME
WHEN NOT MATCHED THEN INSERT BY NAME
