-- How far the word of each source reaches, and when an opening last found it unclosed.
SELECT
    c.source, c.server_id, c.state, epoch_us(c.since) AS since_us, epoch_us(c.beat_at) AS beat_us,
    epoch_us(c.watermark) AS watermark_us, epoch_us(t.settled_at) AS settled_us,
    c.lost::BIGINT AS lost, c.in_flight::BIGINT AS in_flight
FROM source_completeness c
LEFT JOIN (SELECT source, max(settled_at) AS settled_at FROM settlements GROUP BY source) t
    ON t.source = c.source
