-- rejections: one row per order that was refused, and why.
CREATE OR REPLACE VIEW rejections AS
SELECT * EXCLUDE (outcome) FROM raw.rejections WHERE outcome = 'rejected';
