INSERT INTO invoice_lines BY NAME FROM taxed_lines
