-- The periods that usage must be complete for before a draft can be closed: its own, once that is
-- over, and those that it passes over, in which there is nothing to bill only if nothing is missing.
CREATE OR REPLACE TEMP TABLE gated_periods AS
SELECT account_id, start_us, end_us FROM drafts WHERE end_us <= $now_us
UNION ALL
SELECT revisited.account_id, revisited.start_us, revisited.end_us
FROM revisited SEMI JOIN drafts USING (account_id)
WHERE revisited.is_passed AND revisited.end_us <= $now_us
