SELECT run, evidence FROM runs WHERE evidence IS NOT NULL ORDER BY run
