INSERT INTO chargeable BY NAME
SELECT
    peak_lines.account, peak_lines.rate, swept.records, swept.records AS own, FALSE AS beyond,
    swept.peak * peak_lines.grains AS quantity
FROM swept
INNER JOIN peak_lines USING (line)
