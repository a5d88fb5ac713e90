-- Asked once: the views behind it take long to plan.
CREATE OR REPLACE TEMP TABLE gate_told AS FROM told_sources
