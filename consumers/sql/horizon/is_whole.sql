SELECT NOT EXISTS (FROM promises) AND NOT EXISTS (FROM highest_holes WHERE last IS NOT NULL)
    AND NOT EXISTS (FROM highest_holes h SEMI JOIN proven p USING (topic, source))
