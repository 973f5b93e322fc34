-- runs: one row per run; `manifests` holds the whole manifest as JSON, as in manifest ->> '$.protocol.name'.
CREATE OR REPLACE VIEW runs AS
SELECT
    run,
    manifest ->> '$.name' AS name,
    manifest ->> '$.protocol.name' AS protocol,
    manifest ->> '$.span.start' AS start_at,
    manifest ->> '$.span.end' AS end_at,
    CAST(manifest ->> '$.span.ticks' AS BIGINT) AS ticks,
    manifest ->> '$.result_hash' AS result_hash
FROM manifests
ORDER BY run;
