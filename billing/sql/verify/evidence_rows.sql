-- What the evidence of an act says of the documents. The bounds find the place in the file.
CREATE OR REPLACE TEMP TABLE evidence AS
SELECT verified.place AS account, told.*
FROM stored_evidence($path) AS told INNER JOIN verified USING (invoice)
WHERE told.invoice BETWEEN $first AND $last
