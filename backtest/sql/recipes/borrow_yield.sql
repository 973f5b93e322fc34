-- What does lending to traders yield, per custody?
-- Rate times utilisation, averaged over the samples: the yearly return on all that the custody owns, before the
-- fees' split.
SELECT
    run,
    custody,
    round(avg(CAST(utilisation AS DECIMAL(18, 9))) * 100, 2) AS mean_utilisation_percent,
    round(avg(borrow_rate) / 1e9 * 24 * 365 * 100, 2) AS mean_rate_percent,
    round(max(borrow_rate) / 1e9 * 24 * 365 * 100, 2) AS highest_rate_percent,
    round(avg(CAST(utilisation * borrow_rate_per_year AS DECIMAL(18, 9))) * 100, 3) AS yield_percent
FROM pool
GROUP BY run, custody
ORDER BY run, yield_percent DESC, custody
