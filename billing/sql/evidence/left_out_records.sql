-- The records in conflict because of which a closed period was not adjusted by this run.
CREATE OR REPLACE TEMP TABLE left_out_records AS
SELECT
    months.month, records.account_id, records.record_id::VARCHAR AS record_id,
    records.started_at, records.last_seen, records.meeting_id, records.participant_id,
    records.meter, records.variant, records.stopped, records.quantity
FROM (SELECT DISTINCT account_id FROM closing) AS closing
INNER JOIN revisited_members AS members ON closing.account_id = members.account_id
INNER JOIN revisited_months AS months USING (cohort)
SEMI JOIN postponed
    ON closing.account_id = postponed.account_id AND months.month = postponed.month
INNER JOIN near_records AS records ON closing.account_id = records.account_id
WHERE records.started_at >= make_timestamp(months.start_us)
    AND records.started_at < make_timestamp(months.end_us)
    AND records.record_id IN (SELECT record_id FROM conflicts)
