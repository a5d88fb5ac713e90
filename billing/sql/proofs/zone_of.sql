SELECT zone FROM invoices WHERE id = $id
