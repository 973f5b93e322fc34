-- period_start(period, ts): start of the UTC period that holds ts: '1 hour', '1 day', '1 week' (from Monday), ...
-- Computed on UTC wall time, so that the time zone of the session never moves a boundary.
CREATE OR REPLACE MACRO period_start(period, ts) AS
    time_bucket(CAST(period AS INTERVAL), ts AT TIME ZONE 'UTC') AT TIME ZONE 'UTC';
