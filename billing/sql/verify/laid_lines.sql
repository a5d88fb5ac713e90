-- The frozen lines of the documents beside the terms that stand for the same in what is laid out: the
-- month itself, or the periods that are adjusted.
CREATE OR REPLACE TEMP VIEW laid_lines AS
SELECT
    frozen.invoice, frozen.line, frozen.kind, frozen.variant,
    frozen.month = verified.month AS is_own, members.account, terms.term, terms.stretch,
    terms.kind AS term_kind
FROM frozen_lines AS frozen
INNER JOIN verified USING (invoice)
INNER JOIN members ON verified.account_id = members.account_id
INNER JOIN laid_terms AS terms
    ON members.cohort = terms.cohort AND frozen.month = terms.month AND frozen.key = terms.key
