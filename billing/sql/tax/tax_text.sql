-- What is decided on a line, as it is frozen with it.
CREATE OR REPLACE TEMP MACRO tax_text(of_category, of_country, of_ppm, because) AS
to_json({
    'category': of_category, 'country': of_country, 'ppm': of_ppm::BIGINT, 'reason': because::VARCHAR
})::VARCHAR
