INSERT INTO chargeable BY NAME
SELECT
    swept.account, lines.term, lines.line_variant, swept.records, swept.records AS own,
    FALSE AS beyond, swept.peak * terms.grains AS quantity
FROM swept
INNER JOIN members USING (account)
INNER JOIN peak_lines AS lines
    ON members.cohort = lines.cohort AND swept.slot = lines.slot
INNER JOIN usage_terms AS terms ON lines.term = terms.term
