SELECT account_id FROM closed_documents WHERE month = $month
