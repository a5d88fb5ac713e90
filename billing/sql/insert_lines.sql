INSERT INTO invoice_lines BY NAME FROM drafted_lines
