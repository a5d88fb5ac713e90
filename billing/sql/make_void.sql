UPDATE invoices SET status = 'void', voided = $run WHERE id IN (SELECT id FROM credited)
