-- As `revisited`, of an act of the past: what it adjusted, and the document it was closed by then.
CREATE OR REPLACE TEMP TABLE revisited AS
SELECT DISTINCT verified.account_id, periods.month, own.id AS origin, FALSE AS is_old
FROM periods
INNER JOIN verified ON periods.invoice = verified.invoice AND periods.month <> verified.month
LEFT JOIN invoices AS own
    ON verified.account_id = own.account_id AND periods.month = own.month AND own.credit IS NULL
    AND NOT own.apart AND own.status <> 'draft' AND own.run < $act AND coalesce(own.voided, $act) >= $act
