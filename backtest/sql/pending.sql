-- pending: one row per order still waiting when the run ended: not due yet, or a limit that was not reached.
CREATE OR REPLACE VIEW pending AS
SELECT * EXCLUDE (outcome) FROM raw.rejections WHERE outcome = 'pending';
