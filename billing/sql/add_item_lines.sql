INSERT INTO extra_lines BY NAME
SELECT
    * EXCLUDE (place),
    coalesce(
        (SELECT max(place) FROM extra_lines AS before WHERE before.account_id = items.account_id), 0
    ) + row_number() OVER (PARTITION BY account_id ORDER BY place) AS place,
    FALSE AS apart
FROM item_lines AS items
