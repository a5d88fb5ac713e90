DELETE FROM proven WHERE (topic, source) IN (
    SELECT (topic, source) FROM highest_holes WHERE last IS NULL
)
