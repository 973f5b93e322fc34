-- events are numbered from 0 without gaps, in order of time, and none is later than the last sample
SELECT seq, expected_seq, timestamp, previous_timestamp
FROM (
    SELECT
        seq,
        timestamp,
        row_number() OVER (ORDER BY seq) - 1 AS expected_seq,
        lag(timestamp) OVER (ORDER BY seq) AS previous_timestamp
    FROM events
)
WHERE seq <> expected_seq OR timestamp < previous_timestamp OR timestamp > (SELECT max(timestamp) FROM lp)
ORDER BY seq
