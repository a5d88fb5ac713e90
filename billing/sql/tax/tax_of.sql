-- The tax on an amount, both in smallest units, at a rate in millionths: rounded once, half up, away
-- from zero. Parted, so that no product is larger than the amount.
CREATE OR REPLACE TEMP MACRO tax_of(taxable, ppm) AS (
    sign(taxable)::HUGEINT * (
        abs(taxable) // 1000000 * ppm + (2 * (abs(taxable) % 1000000) * ppm + 1000000) // 2000000
    )
)::HUGEINT
