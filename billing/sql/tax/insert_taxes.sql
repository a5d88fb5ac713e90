INSERT INTO invoice_taxes BY NAME FROM drafted_taxes
