INSERT INTO terms BY NAME FROM drafted_terms
