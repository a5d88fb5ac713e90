INSERT INTO chargeable BY NAME
SELECT
    swept.account, peak_rates.rate, swept.records, swept.records AS own, FALSE AS beyond,
    swept.peak * peak_rates.grains AS quantity
FROM swept
INNER JOIN members USING (account)
INNER JOIN peak_rates ON members.cohort = peak_rates.cohort AND swept.slot = peak_rates.slot
