SELECT source, refused, epoch_us("after") AS after_us, epoch_us(told_at) AS told_us
FROM rises_of_refused
WHERE topic = 'meetings.usage'
