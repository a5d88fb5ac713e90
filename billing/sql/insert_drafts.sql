INSERT INTO invoices BY NAME FROM drafted_heads
