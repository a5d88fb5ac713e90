INSERT INTO accepted_holes BY NAME
SELECT h.topic, h.source, h.first, h.last, greatest($now_us, s.watermark_us) AS until_us
FROM told_holes h
JOIN gate_told s ON s.source = h.source
WHERE h.state = 'lost' AND 'source ' || h.source IN (
    SELECT place FROM gaps_found WHERE code = 'USAGE_MISSING'
)
