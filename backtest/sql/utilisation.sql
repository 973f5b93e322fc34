-- utilisation(period): locked / owned and the borrow rate per custody: mean and maximum over the period's samples, and
-- the level at its end. Samples are placed like those of closing_samples: one at midnight belongs to the day it ends.
CREATE OR REPLACE MACRO utilisation(period) AS TABLE
SELECT
    p.run,
    c.period_start,
    p.custody,
    avg(CAST(p.utilisation AS DECIMAL(18, 9))) AS mean_utilisation,
    max(p.utilisation) AS max_utilisation,
    arg_max(p.utilisation, p.timestamp) AS closing_utilisation,
    avg(p.borrow_rate) / 1e9 AS mean_borrow_rate_per_hour,
    avg(p.borrow_rate) / 1e9 * 24 * 365 AS mean_borrow_rate_per_year,
    count(*) AS samples
FROM pool AS p
ASOF JOIN (SELECT * FROM closing_samples(period)) AS c ON c.run = p.run AND p.timestamp <= c.closing_at
GROUP BY p.run, c.period_start, p.custody
ORDER BY p.run, c.period_start, p.custody;
