-- What the books say of a run otherwise than its evidence and the audit trail do.
SELECT what FROM (
    SELECT unnest([
        CASE WHEN snapshot IS DISTINCT FROM (SELECT told FROM told_of_run WHERE name = 'snapshot')
            THEN 'what was known of usage' END,
        CASE WHEN overrides IS DISTINCT FROM (SELECT told FROM told_of_run WHERE name = 'overrides')
            THEN 'the reasons given' END,
        CASE WHEN NOT EXISTS (
            FROM audit_trail AS trail
            WHERE trail.action = 'invoice finalize' AND trail.at_us = runs.finalized_us
                AND (TRY_CAST(trail.details AS JSON) ->> 'run') = runs.run::VARCHAR
        ) THEN 'when it was' END
    ]) AS what
    FROM runs WHERE run = $run
)
WHERE what IS NOT NULL
